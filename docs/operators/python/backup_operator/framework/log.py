"""Log lines of JSON: what collects the logs of Pods can read their fields."""

import datetime
import json


def log(message, **fields):
    time = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    print(json.dumps({"time": time, "message": message, **fields}, default=str), flush=True)


def message_of(error):
    """The message of an error: that of the Status where the API server answered with one."""
    try:
        return json.loads(error.body)["message"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return f"{type(error).__name__}: {error}"
