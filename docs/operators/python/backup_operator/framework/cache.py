"""All objects of one kind as they were a moment ago, followed by list and watch."""

import threading
import time

from kubernetes import watch

from .log import log, message_of

WATCH_SECONDS = 300


class ObjectCache:
    """`on_change` is called with each object that has come, changed or gone."""

    def __init__(self, resource, on_change, label_selector=None):
        self._resource, self._on_change, self._selector = resource, on_change, label_selector
        self._objects = {}
        self._lock = threading.Lock()
        self.synced = threading.Event()

    def get(self, key):
        with self._lock:
            return self._objects.get(key)

    def list(self):
        with self._lock:
            return list(self._objects.values())

    def start(self):
        # A daemon: a thread that waits for a watch owns nothing, so it need not be stopped.
        threading.Thread(target=self._follow, name=f"watch {self._resource.name}", daemon=True).start()

    def _follow(self):
        retry, version = 0.25, None
        while True:
            try:
                if version is None:
                    version = self._list()
                version = self._watch(version)
                retry = 0.25
            except Exception as error:
                # 410: the version is too old for the server, so all objects are listed anew.
                if getattr(error, "status", None) == 410:
                    version = None
                log("watch failed", kind=self._resource.kind, error=message_of(error), retry=retry)
                time.sleep(retry)
                retry = min(retry * 2, 10)

    def _list(self):
        listed = self._resource.get(label_selector=self._selector, _request_timeout=60).to_dict()
        kind = {"apiVersion": self._resource.group_version, "kind": self._resource.kind}
        objects = {key_of(item): {**kind, **item} for item in listed["items"]}
        with self._lock:
            gone = [item for key, item in self._objects.items() if key not in objects]
            self._objects = objects
        self.synced.set()
        for item in [*gone, *objects.values()]:
            self._on_change(item)
        return listed["metadata"]["resourceVersion"]

    def _watch(self, version):
        """Follows until the server ends the watch; returns the version from which to go on."""
        events = watch.Watch().stream(
            self._resource.get,
            serialize=False,
            label_selector=self._selector,
            resource_version=version,
            timeout_seconds=WATCH_SECONDS,
            _request_timeout=(10, WATCH_SECONDS + 30),
        )
        for event in events:
            item = event["raw_object"]
            version = item["metadata"]["resourceVersion"]
            if event["type"] == "BOOKMARK":
                continue
            with self._lock:
                if event["type"] == "DELETED":
                    self._objects.pop(key_of(item), None)
                else:
                    self._objects[key_of(item)] = item
            self._on_change(item)
        return version


def key_of(item):
    metadata = item["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"
