"""What a ScheduledBackup consists of: pure functions."""

MANAGED_BY = "backup-operator"
KEPT_FOR = "backup.example.com/scheduledbackup"


def claim_name(backup):
    return f"{backup['metadata']['name']}-backups"


def plan_claim(backup):
    """The claim of the backups. It has no owner reference: a backup that goes with its configuration is none."""
    destination = backup["spec"]["destination"]
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": destination["storage"]}}}
    if "storageClassName" in destination:
        spec["storageClassName"] = destination["storageClassName"]
    metadata = {
        "name": claim_name(backup),
        "namespace": backup["metadata"]["namespace"],
        "labels": {"app.kubernetes.io/managed-by": MANAGED_BY},
        # Whose it is, by uid: another ScheduledBackup of the same name does not get the old one's backups.
        "annotations": {KEPT_FOR: backup["metadata"]["uid"]},
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def plan_cron_job(backup):
    spec = backup["spec"]
    container = {
        "name": "backup",
        "image": spec["image"],
        "command": ["sh", "-c", SCRIPT],
        "env": [{"name": "KEEP", "value": str(spec["keep"])}],
        "volumeMounts": [
            {"name": "data", "mountPath": "/data", "readOnly": True},
            {"name": "backups", "mountPath": "/backups"},
        ],
    }
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": spec["source"]["claimName"], "readOnly": True}},
        {"name": "backups", "persistentVolumeClaim": {"claimName": claim_name(backup)}},
    ]
    pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container], "volumes": volumes}
    labels = {"app.kubernetes.io/managed-by": MANAGED_BY, "app.kubernetes.io/instance": backup["metadata"]["name"]}
    metadata = {
        "name": backup["metadata"]["name"],
        "namespace": backup["metadata"]["namespace"],
        "labels": labels,
        "ownerReferences": [owner_reference(backup)],
    }
    cron_job = {
        "schedule": spec["schedule"],
        "suspend": spec["suspend"],
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": {"backoffLimit": 2, "template": {"metadata": {"labels": labels}, "spec": pod}}},
    }
    if "timeZone" in spec:
        cron_job["timeZone"] = spec["timeZone"]
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": cron_job}


# First under another name: a backup that was broken off is never taken for one.
SCRIPT = """set -e
name=/backups/$(date -u +%Y-%m-%dT%H-%M-%SZ).tar.gz
tar -czf "$name.part" -C /data .
mv "$name.part" "$name"
ls -1 /backups/*.tar.gz | sort -r | tail -n +$((KEEP + 1)) | xargs -r rm
ls -l /backups
"""


def owner_reference(backup):
    return {
        "apiVersion": backup["apiVersion"],
        "kind": backup["kind"],
        "name": backup["metadata"]["name"],
        "uid": backup["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_owned_by(item, backup):
    owners = item["metadata"].get("ownerReferences", [])
    return any(owner.get("controller") and owner["uid"] == backup["metadata"]["uid"] for owner in owners)


def is_kept_for(claim, backup):
    return claim["metadata"].get("annotations", {}).get(KEPT_FOR) == backup["metadata"]["uid"]


def plan_status(backup, cron_job):
    """The status, and the condition Ready as (status, reason, message)."""
    found = cron_job.get("status", {})
    status = {"backupClaim": claim_name(backup), "active": len(found.get("active", []))}
    for name in ("lastScheduleTime", "lastSuccessfulTime"):
        if name in found:
            status[name] = found[name]
    if backup["spec"]["suspend"]:
        return status, ("False", "Suspended", "no backups are made while spec.suspend is true")
    return status, ("True", "Scheduled", f"backups are made at {backup['spec']['schedule']}")
