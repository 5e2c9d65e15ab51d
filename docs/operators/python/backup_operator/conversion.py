"""Conversion between v1alpha1 and v1. It loses nothing: what v1alpha1 has no field for, it carries in an annotation."""

import json

GROUP = "backup.example.com"
ANNOTATION = "backup.example.com/v1-spec"
# The fields that only v1 has, with their types. Anybody may write the annotation, and what it holds is not validated again.
KEPT = {"timeZone": str, "suspend": bool, "destination": dict, "deletionPolicy": str, "image": str}


def convert(item, api_version):
    if item["apiVersion"] == api_version:
        return item
    if api_version == f"{GROUP}/v1":
        return _to_v1(item)
    if api_version == f"{GROUP}/v1alpha1":
        return _to_v1alpha1(item)
    raise ValueError(f"there is no version {api_version}")


def _to_v1(item):
    spec, annotations = item["spec"], dict(item["metadata"].get("annotations", {}))
    kept = _parse(item, annotations.pop(ANNOTATION, "{}"))
    renamed = {
        **kept,
        "schedule": spec["cron"],
        "source": {"claimName": spec["claim"]},
        **({"keep": spec["keep"]} if "keep" in spec else {}),
    }
    return {**item, "apiVersion": f"{GROUP}/v1", "metadata": _with_annotations(item, annotations), "spec": renamed}


def _to_v1alpha1(item):
    spec, annotations = dict(item["spec"]), dict(item["metadata"].get("annotations", {}))
    renamed = {"cron": spec.pop("schedule"), "claim": spec.pop("source")["claimName"]}
    if "keep" in spec:
        renamed["keep"] = spec.pop("keep")
    annotations.pop(ANNOTATION, None)
    if spec:
        annotations[ANNOTATION] = json.dumps(spec, sort_keys=True)
    return {**item, "apiVersion": f"{GROUP}/v1alpha1", "metadata": _with_annotations(item, annotations), "spec": renamed}


def _parse(item, text):
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise ValueError(f"{item['metadata']['name']}: the annotation {ANNOTATION} is not a JSON object")
    for name, value in kept.items():
        if name not in KEPT or not isinstance(value, KEPT[name]):
            raise ValueError(f"{item['metadata']['name']}: the annotation {ANNOTATION} has a wrong {name}")
    return kept


def _with_annotations(item, annotations):
    """The metadata with other annotations: all else in it must stay as it is, or the API server refuses the answer."""
    metadata = {key: value for key, value in item["metadata"].items() if key != "annotations"}
    return {**metadata, "annotations": annotations} if annotations else metadata
