"""A queue of keys with delays."""

import threading
import time


class WorkQueue:
    """Has each key once, however often it was added, and gives it to one worker at a time.

    A key that is added while a worker has it comes again when that worker is done.
    """

    def __init__(self, base_delay=0.1, max_delay=300.0, clock=time.monotonic):
        self._base_delay, self._max_delay, self._clock = base_delay, max_delay, clock
        self._changed = threading.Condition()
        self._due = {}  # key -> the time from which it may be taken
        self._processing = set()
        self._failures = {}
        self._closed = False

    def add(self, key, delay=0.0):
        with self._changed:
            due = self._clock() + delay
            self._due[key] = min(due, self._due.get(key, due))
            self._changed.notify_all()

    def add_rate_limited(self, key):
        """Adds the key after a delay that doubles with each call until `forget`; returns how many times it was called."""
        with self._changed:
            count = self._failures[key] = self._failures.get(key, 0) + 1
        self.add(key, min(self._base_delay * 2 ** min(count - 1, 30), self._max_delay))
        return count

    def forget(self, key):
        with self._changed:
            self._failures.pop(key, None)

    def take(self):
        """The next key, as soon as there is one; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                waiting = sorted((due, key) for key, due in self._due.items() if key not in self._processing)
                if waiting and waiting[0][0] <= self._clock():
                    key = waiting[0][1]
                    del self._due[key]
                    self._processing.add(key)
                    return key
                self._changed.wait(waiting[0][0] - self._clock() if waiting else None)
            return None

    def done(self, key):
        with self._changed:
            self._processing.discard(key)
            self._changed.notify_all()

    def close(self):
        with self._changed:
            self._closed = True
            self._changed.notify_all()
