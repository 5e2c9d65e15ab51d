"""What is special about ScheduledBackups: everything else is in the framework."""

from kubernetes.client.rest import ApiException

from . import conversion, plan, schedule
from .framework import Operator, Refused

CREATOR = "backup.example.com/created-by"

operator = Operator(
    name=plan.MANAGED_BY,
    group=conversion.GROUP,
    version="v1",
    kind="ScheduledBackup",
    plural="scheduledbackups",
    finalizer="backup.example.com/backups",
)


@operator.reconciles(("batch/v1", "CronJob"))
def reconcile(backup, context):
    """Makes the claim and the CronJob. An object of that name that is not ours is never taken over."""
    claim, cron_job = plan.plan_claim(backup), plan.plan_cron_job(backup)
    for body, is_ours in ((claim, plan.is_kept_for), (cron_job, plan.is_owned_by)):
        metadata = body["metadata"]
        existing = context.find(body["apiVersion"], body["kind"], metadata["namespace"], metadata["name"])
        if existing and not is_ours(existing, backup):
            raise Refused("NameTaken", f"there is a {body['kind']} {metadata['name']} that does not belong to this backup")
    context.apply(claim)
    return plan.plan_status(backup, context.apply(cron_job))


@operator.finalizes()
def finalize(backup, context):
    """Deletes the claim, or says that it stays. The CronJob goes by its owner reference."""
    namespace, name = backup["metadata"]["namespace"], plan.claim_name(backup)
    claim = context.find("v1", "PersistentVolumeClaim", namespace, name)
    if claim is None or not plan.is_kept_for(claim, backup):
        return
    if backup["spec"]["deletionPolicy"] != "Delete":
        context.event(backup, "Normal", "Retained", f"the backups stay in the claim {name}", action="Finalize")
        return
    try:
        context.resource("v1", "PersistentVolumeClaim").delete(name=name, namespace=namespace)
    except ApiException as error:
        if error.status != 404:
            raise
    context.event(backup, "Normal", "Deleted", f"the claim {name} is deleted", action="Finalize")


@operator.mutates()
def set_creator(request):
    """Notes who has created the backup, which only the request tells; and sees to it that nobody else says so."""
    old = (request.get("oldObject") or {}).get("metadata", {}).get("annotations") or {}
    creator = request["userInfo"]["username"] if request["operation"] == "CREATE" else old.get(CREATOR)
    annotations = request["object"]["metadata"].get("annotations")
    if annotations is not None and annotations.get(CREATOR) == creator:
        return []
    if creator is None:
        return [{"op": "remove", "path": f"/metadata/annotations/{_escape(CREATOR)}"}] if CREATOR in (annotations or {}) else []
    if annotations is None:
        return [{"op": "add", "path": "/metadata/annotations", "value": {CREATOR: creator}}]
    return [{"op": "add", "path": f"/metadata/annotations/{_escape(CREATOR)}", "value": creator}]


@operator.validates()
def validate(request, context):
    """Refuses a schedule that is none, which no rule can read, and warns of a source that is not there."""
    spec = request["object"]["spec"]
    problem = schedule.find_problem(spec["schedule"])
    if problem:
        raise Refused("Invalid", f"spec.schedule: {problem}")
    if "timeZone" in spec and not schedule.is_time_zone(spec["timeZone"]):
        raise Refused("Invalid", f"spec.timeZone: there is no time zone {spec['timeZone']!r}")
    claim = spec["source"]["claimName"]
    if context.find("v1", "PersistentVolumeClaim", request["namespace"], claim) is None:
        return [f"there is no PersistentVolumeClaim {claim} yet"]
    return []


@operator.converts()
def convert(item, api_version):
    return conversion.convert(item, api_version)


def _escape(key):
    """A key as a JSON pointer has it."""
    return key.replace("~", "~0").replace("/", "~1")
