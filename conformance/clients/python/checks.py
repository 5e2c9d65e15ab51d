"""The official Python client used as its users use it. Each check is a function; a line of JSON per check tells how it went."""

import base64
import datetime
import json
import sys
import threading
import time
import traceback

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
from kubernetes.stream import portforward, stream

kubeconfig, namespace, image = sys.argv[1:4]
config.load_kube_config(kubeconfig)
core = client.CoreV1Api()
apps = client.AppsV1Api()
batch = client.BatchV1Api()


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


def expect_status(wanted, reason, call):
    try:
        call()
    except ApiException as error:
        expect(error.status, wanted)
        expect(json.loads(error.body)["reason"], reason)
        return json.loads(error.body)
    raise AssertionError(f"no error, wanted {wanted} {reason}")


def config_map(name, data=None, labels=None):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data or {})


def pod(name, command):
    container = client.V1Container(name="main", image=image, command=["sh", "-c", command])
    spec = client.V1PodSpec(containers=[container], termination_grace_period_seconds=0)
    return client.V1Pod(metadata=client.V1ObjectMeta(name=name, labels={"app": name}), spec=spec)


def running(name):
    for event in watch.Watch().stream(core.list_namespaced_pod, namespace, field_selector=f"metadata.name={name}", timeout_seconds=60):
        if event["object"].status.phase == "Running":
            return event["object"]
    raise AssertionError(f"pod {name} does not run")


def version_and_discovery():
    expect(client.VersionApi().get_code().minor.rstrip("+"), "36")
    groups = {group.name for group in client.ApisApi().get_api_versions().groups}
    expect({"apps", "batch", "networking.k8s.io", "rbac.authorization.k8s.io"} - groups, set())
    names = {resource.name for resource in core.get_api_resources().resources}
    expect({"pods", "pods/exec", "pods/log", "services", "nodes"} - names, set())


def create_read_replace_patch_delete():
    made = core.create_namespaced_config_map(namespace, config_map("crud", {"a": "1"}))
    expect(made.data, {"a": "1"})
    made.data["b"] = "2"
    replaced = core.replace_namespaced_config_map("crud", namespace, made)
    expect_status(409, "Conflict", lambda: core.replace_namespaced_config_map("crud", namespace, made))
    expect(int(replaced.metadata.resource_version) > int(made.metadata.resource_version), True)
    expect(core.patch_namespaced_config_map("crud", namespace, {"data": {"a": None}}).data, {"b": "2"})
    patch = [{"op": "replace", "path": "/data/b", "value": "3"}]
    expect(core.patch_namespaced_config_map("crud", namespace, patch).data, {"b": "3"})
    expect(core.delete_namespaced_config_map("crud", namespace).status, "Success")
    expect_status(404, "NotFound", lambda: core.read_namespaced_config_map("crud", namespace))


def errors_are_statuses():
    status = expect_status(422, "Invalid", lambda: core.create_namespaced_config_map(namespace, config_map("Not_A_Name")))
    expect(status["details"]["causes"][0]["field"], "metadata.name")
    core.create_namespaced_config_map(namespace, config_map("twice"))
    expect_status(409, "AlreadyExists", lambda: core.create_namespaced_config_map(namespace, config_map("twice")))
    expect_status(404, "NotFound", lambda: core.create_namespaced_config_map("nowhere", config_map("x")))


def dry_run_writes_nothing():
    core.create_namespaced_config_map(namespace, config_map("dry"), dry_run="All")
    expect_status(404, "NotFound", lambda: core.read_namespaced_config_map("dry", namespace))


def list_pages_and_selects():
    for number in range(7):
        core.create_namespaced_config_map(namespace, config_map(f"page-{number}", labels={"set": "pages", "odd": str(number % 2)}))
    names, token = [], None
    while True:
        page = core.list_namespaced_config_map(namespace, label_selector="set=pages", limit=3, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    expect(names, [f"page-{number}" for number in range(7)])
    odd = core.list_namespaced_config_map(namespace, label_selector="set in (pages),odd!=0")
    expect(len(odd.items), 3)
    expect(core.list_config_map_for_all_namespaces(field_selector="metadata.name=page-6").items[0].metadata.namespace, namespace)
    core.delete_collection_namespaced_config_map(namespace, label_selector="set=pages")
    expect(core.list_namespaced_config_map(namespace, label_selector="set=pages").items, [])


def watch_sees_every_change_once():
    start = core.list_namespaced_config_map(namespace).metadata.resource_version

    def change():
        core.create_namespaced_config_map(namespace, config_map("watched", {"n": "0"}, {"watch": "me"}))
        for number in range(1, 20):
            core.patch_namespaced_config_map("watched", namespace, {"data": {"n": str(number)}})
        core.delete_namespaced_config_map("watched", namespace)

    thread = threading.Thread(target=change)
    thread.start()
    seen = []
    stream_of = watch.Watch()
    for event in stream_of.stream(core.list_namespaced_config_map, namespace, resource_version=start, label_selector="watch=me", timeout_seconds=30):
        seen.append((event["type"], event["object"].data["n"]))
        if event["type"] == "DELETED":
            stream_of.stop()
    thread.join()
    expect(seen, [("ADDED", "0"), *[("MODIFIED", str(n)) for n in range(1, 20)], ("DELETED", "19")])


def watch_of_an_expired_version():
    try:
        for _ in watch.Watch().stream(core.list_namespaced_config_map, namespace, resource_version="1", timeout_seconds=5):
            pass
    except ApiException as error:
        expect(error.status, 410)


def dynamic_client_and_apply():
    dynamic_client = dynamic.DynamicClient(client.ApiClient())
    maps = dynamic_client.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}}
    maps.server_side_apply(body=body, namespace=namespace, field_manager="one")
    body["data"] = {"a": "2"}
    try:
        maps.server_side_apply(body=body, namespace=namespace, field_manager="two")
        raise AssertionError("no conflict")
    except dynamic.exceptions.ConflictError as error:
        expect('conflict with "one"' in json.loads(error.body)["message"], True)
    applied = maps.server_side_apply(body=body, namespace=namespace, field_manager="two", force_conflicts=True)
    expect(applied.data["a"], "2")
    expect([entry.manager for entry in applied.metadata.managedFields], ["two"])


def create_from_yaml():
    objects = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "yaml"}, "spec": {"ports": [{"port": 80}], "selector": {"app": "yaml"}}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "yaml"}, "stringData": {"word": "secret"}},
    ]
    utils.create_from_yaml(client.ApiClient(), yaml_objects=objects, namespace=namespace)
    expect(base64.b64decode(core.read_namespaced_secret("yaml", namespace).data["word"]), b"secret")
    expect(core.read_namespaced_service("yaml", namespace).spec.type, "ClusterIP")


def deployment_scales_and_rolls_out():
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels={"app": "web"}), spec=pod("web", "exec sleep 3600").spec)
    spec = client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels={"app": "web"}), template=template)
    apps.create_namespaced_deployment(namespace, client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec))
    expect(apps.read_namespaced_deployment_scale("web", namespace).status.selector, "app=web")
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 2}})
    for event in watch.Watch().stream(apps.list_namespaced_deployment, namespace, field_selector="metadata.name=web", timeout_seconds=60):
        if event["object"].status.ready_replicas == 2:
            break
    expect(apps.read_namespaced_deployment_status("web", namespace).status.ready_replicas, 2)
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Foreground")


def job_completes():
    spec = pod("job", "echo done").spec
    spec.restart_policy = "Never"
    job = client.V1Job(metadata=client.V1ObjectMeta(name="job"), spec=client.V1JobSpec(template=client.V1PodTemplateSpec(spec=spec)))
    batch.create_namespaced_job(namespace, job)
    for event in watch.Watch().stream(batch.list_namespaced_job, namespace, field_selector="metadata.name=job", timeout_seconds=60):
        if event["object"].status.succeeded == 1:
            break
    name = core.list_namespaced_pod(namespace, label_selector="batch.kubernetes.io/job-name=job").items[0].metadata.name
    expect(core.read_namespaced_pod_log(name, namespace), "done\n")


def exec_with_input_and_exit_code():
    core.create_namespaced_pod(namespace, pod("shell", "echo started; exec sleep 3600"))
    running("shell")
    connect = core.connect_get_namespaced_pod_exec
    expect(stream(connect, "shell", namespace, command=["echo", "hello"], stdout=True, stderr=True), "hello\n")
    session = stream(connect, "shell", namespace, command=["sh"], stdin=True, stdout=True, stderr=True, _preload_content=False)
    session.write_stdin("echo to stderr >&2\necho out\nexit 3\n")
    session.run_forever(timeout=20)
    expect((session.read_stdout(), session.read_stderr(), session.returncode), ("out\n", "to stderr\n", 3))
    log = watch.Watch()
    for line in log.stream(core.read_namespaced_pod_log, "shell", namespace):
        expect(line, "started")
        log.stop()
        core.delete_namespaced_pod("shell", namespace)


def port_forward_reaches_a_server():
    core.create_namespaced_pod(namespace, pod("server", "mkdir /w; echo hi > /w/index.html; exec busybox httpd -f -p 8080 -h /w"))
    running("server")
    for attempt in range(50):
        forward = portforward(core.connect_get_namespaced_pod_portforward, "server", namespace, ports="8080")
        socket = forward.socket(8080)
        socket.setblocking(True)
        socket.settimeout(10)
        socket.sendall(b"GET /index.html HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := socket.recv(4096):
            answer += chunk
        if answer:
            break
        time.sleep(0.1)
    expect(answer.endswith(b"hi\n"), True)


def eviction_and_access_review():
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=client.V1ResourceAttributes(verb="delete", resource="nodes"))
    )
    expect(client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed, True)
    core.create_namespaced_pod(namespace, pod("evicted", "exec sleep 3600"))
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="evicted", namespace=namespace))
    core.create_namespaced_pod_eviction("evicted", namespace, eviction)


def service_account_token():
    core.create_namespaced_service_account(namespace, client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="robot")))
    spec = client.V1TokenRequestSpec(audiences=[], expiration_seconds=600)
    token = core.create_namespaced_service_account_token("robot", namespace, client.AuthenticationV1TokenRequest(spec=spec)).status.token
    settings = client.Configuration.get_default_copy()
    settings.cert_file = settings.key_file = None
    settings.api_key = {"authorization": f"Bearer {token}"}
    robot = client.ApiClient(settings)
    user = client.AuthenticationV1Api(robot).create_self_subject_review(client.V1SelfSubjectReview()).status.user_info.username
    expect(user, f"system:serviceaccount:{namespace}:robot")
    expect_status(403, "Forbidden", lambda: client.CoreV1Api(robot).list_node())


def leader_election():
    led = threading.Event()
    lock = ConfigMapLock("leader", namespace, "candidate")
    settings = electionconfig.Config(
        lock, lease_duration=4, renew_deadline=3, retry_period=1, onstarted_leading=led.set, onstopped_leading=lambda: None
    )
    threading.Thread(target=leaderelection.LeaderElection(settings).run, daemon=True).start()
    expect(led.wait(20), True)
    record = core.read_namespaced_config_map("leader", namespace).metadata.annotations["control-plane.alpha.kubernetes.io/leader"]
    expect(json.loads(record)["holderIdentity"], "candidate")


def times_and_quantities():
    lease = client.V1Lease(
        metadata=client.V1ObjectMeta(name="times"),
        spec=client.V1LeaseSpec(renew_time=datetime.datetime(2030, 1, 2, 3, 4, 5, 678901, datetime.timezone.utc), lease_duration_seconds=5),
    )
    made = client.CoordinationV1Api().create_namespaced_lease(namespace, lease)
    expect(made.spec.renew_time, lease.spec.renew_time)
    quota = client.V1ResourceQuota(metadata=client.V1ObjectMeta(name="q"), spec=client.V1ResourceQuotaSpec(hard={"cpu": "64000m"}))
    expect(core.create_namespaced_resource_quota(namespace, quota).spec.hard, {"cpu": "64"})


checks = [
    version_and_discovery,
    create_read_replace_patch_delete,
    errors_are_statuses,
    dry_run_writes_nothing,
    list_pages_and_selects,
    watch_sees_every_change_once,
    watch_of_an_expired_version,
    dynamic_client_and_apply,
    create_from_yaml,
    deployment_scales_and_rolls_out,
    job_completes,
    exec_with_input_and_exit_code,
    port_forward_reaches_a_server,
    eviction_and_access_review,
    service_account_token,
    leader_election,
    times_and_quantities,
]

for check in checks:
    try:
        check()
        outcome = {"name": check.__name__, "ok": True}
    except Exception:
        outcome = {"name": check.__name__, "ok": False, "error": traceback.format_exc()}
    print(json.dumps(outcome), flush=True)
