"""Leader election by a Lease."""

import datetime
import time

from kubernetes import client
from kubernetes.client.rest import ApiException

from .log import log, message_of


class LeaseLost(Exception):
    """The lease could not be renewed in time: the process has to end."""


class Election:
    """One candidate for a Lease; `identity` differs from those of all others."""

    def __init__(self, api_client, namespace, name, identity, lease_seconds):
        self._leases = client.CoordinationV1Api(api_client)
        self._namespace, self._name, self._identity = namespace, name, identity
        self._seconds = lease_seconds
        # A leader without answers gives up well before another candidate may take the lease.
        self._deadline = lease_seconds * 2 / 3
        self._retry = lease_seconds / 7
        self._seen, self._seen_at = None, 0.0

    def lead(self, stop, start):
        """Waits for the lease, calls `start`, and renews until `stop` is set. Raises LeaseLost when it could not be renewed.

        Returns whether it led: then the caller ends its work and calls `release`.
        """
        sent_at = time.monotonic()
        while not self._try_to_hold(self._deadline):
            if stop.wait(self._retry):
                return False
            sent_at = time.monotonic()
        log("leading", identity=self._identity)
        start()
        renewed_at = sent_at
        while not stop.wait(self._retry):
            sent_at = time.monotonic()
            if self._try_to_hold(max(renewed_at + self._deadline - sent_at, 0.1)):
                renewed_at = sent_at
            elif time.monotonic() > renewed_at + self._deadline:
                raise LeaseLost(f"the lease {self._name} was lost")
        return True

    def release(self):
        """Gives the lease back, so that the next leader need not wait."""
        try:
            lease = self._leases.read_namespaced_lease(self._name, self._namespace, _request_timeout=self._deadline)
            if lease.spec.holder_identity != self._identity:
                return
            lease.spec.holder_identity, lease.spec.lease_duration_seconds, lease.spec.renew_time = "", 1, _now()
            self._leases.replace_namespaced_lease(self._name, self._namespace, lease, _request_timeout=self._deadline)
            log("the lease was given back", identity=self._identity)
        except Exception as error:
            log("the lease could not be given back", error=message_of(error))

    def _try_to_hold(self, within):
        """Creates, takes over or renews the lease; whether this candidate has it now."""
        try:
            return self._hold(within)
        except Exception as error:  # No answer and a refusal are the same: the lease is not held.
            if getattr(error, "status", None) != 409:
                log("the lease could not be had", error=message_of(error))
            return False

    def _hold(self, within):
        try:
            lease = self._leases.read_namespaced_lease(self._name, self._namespace, _request_timeout=within)
        except ApiException as error:
            if error.status != 404:
                raise
            spec = client.V1LeaseSpec(
                acquire_time=_now(), renew_time=_now(), holder_identity=self._identity, lease_duration_seconds=self._seconds, lease_transitions=0
            )
            body = client.V1Lease(metadata=client.V1ObjectMeta(name=self._name), spec=spec)
            self._leases.create_namespaced_lease(self._namespace, body, _request_timeout=within)
            return True
        # The clocks of two machines differ, so the time in the lease is not believed: it has run out when it has not changed here.
        if lease.metadata.resource_version != self._seen:
            self._seen, self._seen_at = lease.metadata.resource_version, time.monotonic()
        spec = lease.spec
        is_mine = spec.holder_identity == self._identity
        is_running = time.monotonic() < self._seen_at + (spec.lease_duration_seconds or self._seconds)
        if spec.holder_identity and not is_mine and is_running:
            return False
        if not is_mine:
            spec.lease_transitions = (spec.lease_transitions or 0) + 1
            spec.acquire_time = _now()
        spec.holder_identity, spec.lease_duration_seconds, spec.renew_time = self._identity, self._seconds, _now()
        # With the resourceVersion that was read: of two candidates one is answered 409.
        self._leases.replace_namespaced_lease(self._name, self._namespace, lease, _request_timeout=within)
        return True


def _now():
    return datetime.datetime.now(datetime.timezone.utc)
