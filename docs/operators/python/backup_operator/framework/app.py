"""The Operator: handlers are registered by decorators, `run` does all the rest."""

import base64
import dataclasses
import datetime
import json
import os
import signal
import tempfile
import threading
import urllib.parse
import uuid

from kubernetes import client, config, dynamic
from kubernetes.client.rest import ApiException

from . import certificates, webhooks
from .cache import ObjectCache, key_of
from .leader import Election
from .log import log, message_of
from .work_queue import WorkQueue

CERTIFICATE_CHECK_SECONDS = 6 * 3600
PUBLISH_SECONDS = 30


class Refused(Exception):
    """The object cannot be what it says: told in its status, or as the answer of the validating webhook."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the flags say."""

    namespace: str
    identity: str
    port: int
    webhook_url: str | None
    lease_seconds: int
    resync_seconds: float
    workers: int


class Context:
    """What a handler works with: the dynamic client, events, and the cached objects that belong to one."""

    def __init__(self, operator, api_client, identity):
        cache_file = os.path.join(tempfile.mkdtemp(), "discovery")
        self.dynamic = dynamic.DynamicClient(api_client, cache_file=cache_file)
        self._events = client.EventsV1Api(api_client)
        self._operator, self._identity = operator, identity

    def resource(self, api_version, kind):
        return self.dynamic.resources.get(api_version=api_version, kind=kind)

    def find(self, api_version, kind, namespace, name):
        """An object, read now; None where there is none."""
        try:
            return self.resource(api_version, kind).get(name=name, namespace=namespace).to_dict()
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def apply(self, body):
        """Server-side apply: says these fields and leaves those of others alone. The object as it is then."""
        resource = self.resource(body["apiVersion"], body["kind"])
        metadata = body["metadata"]
        return resource.server_side_apply(
            body=body,
            name=metadata["name"],
            namespace=metadata["namespace"],
            field_manager=self._operator.name,
            force_conflicts=True,
        ).to_dict()

    def event(self, item, type, reason, note, action="Reconcile"):
        """An Event about an object. It is only told: where it cannot be created, nothing is lost."""
        metadata = item["metadata"]
        regarding = client.V1ObjectReference(
            api_version=item["apiVersion"],
            kind=item["kind"],
            name=metadata["name"],
            namespace=metadata["namespace"],
            uid=metadata["uid"],
        )
        body = client.EventsV1Event(
            metadata=client.V1ObjectMeta(name=f"{metadata['name']}.{uuid.uuid4().hex[:13]}"),
            event_time=datetime.datetime.now(datetime.timezone.utc),
            type=type,
            reason=reason,
            action=action,
            note=note[:1024],
            regarding=regarding,
            reporting_controller=f"{self._operator.group}/{self._operator.name}",
            reporting_instance=self._identity,
        )
        try:
            self._events.create_namespaced_event(metadata["namespace"], body)
        except ApiException as error:
            log("no event", reason=reason, error=message_of(error))


class Operator:
    """An operator for one kind. `finalizer` is set before anything is made for an object."""

    def __init__(self, name, group, version, kind, plural, finalizer):
        self.name, self.group, self.version, self.kind, self.plural = name, group, version, kind, plural
        self.finalizer = finalizer
        self._owned = []
        self._handlers = {}

    # The decorators.

    def reconciles(self, *owned):
        """Registers the function that makes what exists equal to what an object says; returns its status.

        `owned` are kinds, as (apiVersion, kind): a change of an object of them that belongs to one of ours calls it as well.
        """
        self._owned = owned
        return self._register("reconcile")

    def finalizes(self):
        """Registers the function that cleans up what no owner reference leads to, before an object goes."""
        return self._register("finalize")

    def mutates(self):
        """Registers the function that is given an AdmissionRequest and returns JSON patch operations."""
        return self._register("mutate")

    def validates(self):
        """Registers the function that is given an AdmissionRequest and raises Refused, or returns warnings."""
        return self._register("validate")

    def converts(self):
        """Registers the function that makes an object of another version: (object, apiVersion) -> object."""
        return self._register("convert")

    def _register(self, name):
        def decorate(function):
            self._handlers[name] = function
            return function

        return decorate

    # Reviews, which are answered by every replica.

    def answer_conversion(self, review):
        request = review["request"]
        try:
            converted = [self._handlers["convert"](item, request["desiredAPIVersion"]) for item in request["objects"]]
            response = {"result": {"status": "Success"}, "convertedObjects": converted}
        except Exception as error:
            response = {"result": {"status": "Failure", "message": str(error)}}
        return _answer("apiextensions.k8s.io/v1", "ConversionReview", request, response)

    def answer_mutation(self, review):
        request = review["request"]
        patch = self._handlers["mutate"](request)
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        response = {"allowed": True, **({"patchType": "JSONPatch", "patch": encoded} if patch else {})}
        return _answer("admission.k8s.io/v1", "AdmissionReview", request, response)

    def answer_validation(self, review, context):
        request = review["request"]
        try:
            warnings = self._handlers["validate"](request, context)
            response = {"allowed": True, **({"warnings": warnings} if warnings else {})}
        except Refused as refusal:
            response = {"allowed": False, "status": {"code": 422, "reason": refusal.reason, "message": str(refusal)}}
        return _answer("admission.k8s.io/v1", "AdmissionReview", request, response)

    # The run.

    def run(self, settings):
        """Runs until SIGTERM or SIGINT; raises when the lease was lost."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            config.load_incluster_config()
        except config.ConfigException:
            config.load_kube_config()
        api_client = client.ApiClient()
        context = Context(self, api_client, settings.identity)
        queue = WorkQueue()
        objects, caches = self._start_caches(context, queue)

        address, hosts = _address(settings, self.name)
        core = client.CoreV1Api(api_client)
        secret = f"{self.name}-tls"
        certificate = certificates.ensure_certificate(core, settings.namespace, secret, hosts)
        handlers = {
            "/convert": self.answer_conversion,
            "/mutate": self.answer_mutation,
            "/validate": lambda review: self.answer_validation(review, context),
        }
        server = webhooks.WebhookServer(
            settings.port, certificate, handlers, lambda: all(cache.synced.is_set() for cache in caches)
        )
        server.start()
        log("serving webhooks", port=settings.port, hosts=hosts)

        def renew():
            server.set_certificate(certificates.ensure_certificate(core, settings.namespace, secret, hosts))

        def publish():
            definition = f"{self.plural}.{self.group}"
            if webhooks.publish_webhooks(context.dynamic, definition, self.name, address, certificate["ca.crt"]):
                log("published the webhooks", **address)

        def resync():
            for item in objects.list():
                queue.add(key_of(item))

        workers = []

        def start_leading():
            _every(PUBLISH_SECONDS, stop, publish)
            for cache in caches:
                while not stop.is_set() and not cache.synced.wait(1):
                    pass
            _every(settings.resync_seconds, stop, resync)
            for number in range(settings.workers):
                worker = threading.Thread(target=self._work, args=(context, objects, queue), name=f"worker {number}")
                worker.start()
                workers.append(worker)

        _every(CERTIFICATE_CHECK_SECONDS, stop, renew)
        election = Election(api_client, settings.namespace, self.name, settings.identity, settings.lease_seconds)
        has_led = election.lead(stop, start_leading)
        queue.close()
        for worker in workers:
            worker.join()
        if has_led:
            election.release()
        server.shutdown()
        log("stopped")

    def _start_caches(self, context, queue):
        """The cache of our kind, and all caches. A change puts the key of the object of our kind into the queue."""

        def add_owner(item):
            for owner in item["metadata"].get("ownerReferences", []):
                if owner["kind"] == self.kind and owner.get("controller"):
                    queue.add(f"{item['metadata']['namespace']}/{owner['name']}")

        objects = ObjectCache(
            context.resource(f"{self.group}/{self.version}", self.kind), lambda item: queue.add(key_of(item))
        )
        managed = f"app.kubernetes.io/managed-by={self.name}"
        owned = [ObjectCache(context.resource(*kind), add_owner, managed) for kind in self._owned]
        caches = [objects, *owned]
        for cache in caches:
            cache.start()
        return objects, caches

    def _work(self, context, objects, queue):
        while (key := queue.take()) is not None:
            try:
                item = objects.get(key)
                if item is not None:
                    self._process(context, item)
                queue.forget(key)
            except Exception as error:
                attempt = queue.add_rate_limited(key)
                # A conflict only says that the cache was behind.
                if getattr(error, "status", None) != 409:
                    log("reconcile failed", key=key, attempt=attempt, error=message_of(error))
            finally:
                queue.done(key)

    def _process(self, context, item):
        metadata = item["metadata"]
        finalizers = metadata.get("finalizers", [])
        if metadata.get("deletionTimestamp"):
            if self.finalizer in finalizers:
                self._handlers["finalize"](item, context)
                self._patch(context, item, {"finalizers": [name for name in finalizers if name != self.finalizer]})
            return
        if self.finalizer not in finalizers:
            # Before anything is made: otherwise a deletion in between would leave it behind. The update brings the key again.
            self._patch(context, item, {"finalizers": [*finalizers, self.finalizer]})
            return
        try:
            status, ready = self._handlers["reconcile"](item, context)
        except Refused as refusal:
            status, ready = dict(item.get("status", {})), ("False", refusal.reason, str(refusal))
        except ApiException as error:
            if error.status not in (403, 422):
                raise
            # Told in the status, and tried again later and later: others may mend it.
            self._set_status(context, item, dict(item.get("status", {})), ("False", "Rejected", message_of(error)))
            raise
        self._set_status(context, item, status, ready)

    def _patch(self, context, item, metadata, **body):
        """A merge patch with the resourceVersion: if the cached object is an old one, the answer is 409 and the key comes again."""
        whole = {"metadata": {"resourceVersion": item["metadata"]["resourceVersion"], **metadata}, **body}
        resource = context.resource(item["apiVersion"], self.kind)
        target = resource.status if "status" in body else resource
        key = {"name": item["metadata"]["name"], "namespace": item["metadata"]["namespace"]}
        try:
            target.patch(body=whole, content_type="application/merge-patch+json", **key)
        except ApiException as error:
            if error.status != 404:
                raise

    def _set_status(self, context, item, status, ready):
        before = next((each for each in item.get("status", {}).get("conditions", []) if each["type"] == "Ready"), None)
        condition = plan_condition(before, ready, item["metadata"]["generation"], _now())
        status = {**status, "observedGeneration": item["metadata"]["generation"], "conditions": [condition]}
        if status == item.get("status"):
            return
        self._patch(context, item, {}, status=status)
        if before is None or (before["status"], before["reason"]) != (condition["status"], condition["reason"]):
            context.event(item, "Normal" if ready[0] == "True" else "Warning", condition["reason"], condition["message"])


def plan_condition(before, ready, generation, now):
    """The condition Ready. The time of its transition stays where its status does."""
    status, reason, message = ready
    since = before["lastTransitionTime"] if before and before["status"] == status else now
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }


def _answer(api_version, kind, request, response):
    return {"apiVersion": api_version, "kind": kind, "response": {"uid": request["uid"], **response}}


def _address(settings, name):
    if settings.webhook_url:
        return {"url": settings.webhook_url}, [urllib.parse.urlsplit(settings.webhook_url).hostname]
    service = {"namespace": settings.namespace, "name": name, "port": 443}
    return {"service": service}, [f"{name}.{settings.namespace}.svc"]


def _every(seconds, stop, action):
    """Does something now and then again and again, in a thread. A failure is logged and mended by the next time."""

    def loop():
        while not stop.is_set():
            wait = seconds
            try:
                action()
            except Exception as error:
                log("will try again", error=message_of(error))
                wait = min(seconds, 2)
            stop.wait(wait)

    threading.Thread(target=loop, daemon=True).start()


def _now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
