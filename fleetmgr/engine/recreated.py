"""A new object in the place of an old one: what of both is comparable, and what the exchange costs."""

from __future__ import annotations

from fleetmgr.engine.adoption import of_the_cluster
from fleetmgr.engine.immutable import JOB, STATEFUL_SET
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.replacement import Propagation

_JOB_LABELS = frozenset(
    {"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"}
)
"""What the Job controller writes into the template, of each Job anew."""
_ADDRESSES = ("clusterIP", "clusterIPs", "healthCheckNodePort")
SERVICE = GroupKind("", "Service")
_COSTS = {
    GroupKind("", "Namespace"): "everything in it is deleted with it",
    GroupKind("", "PersistentVolume"): "claims that are bound to it lose it",
    GroupKind("", "PersistentVolumeClaim"): "its data is lost unless its volume is retained",
    GroupKind(
        "apiextensions.k8s.io", "CustomResourceDefinition"
    ): "every object of its kind is deleted with it",
}


def comparable(body: JsonObject, desired: JsonObject) -> JsonObject:
    """``body`` under the name of ``desired`` and without what the server allocates for every object anew: the
    selector of a Job, the addresses and ports of a Service that ``desired`` does not name."""
    metadata = {**object_at(body, "metadata"), "name": object_at(desired, "metadata").get("name")}
    _without_counters(metadata, object_at(desired, "metadata", "annotations"))
    result: JsonObject = {**body, "metadata": metadata}
    spec = body.get("spec")
    if not is_object(spec):
        return result
    if body.get("kind") == JOB.kind and not child(desired, "spec", "manualSelector"):
        result["spec"] = _without_selector(spec)
        labels = {k: v for k, v in object_at(metadata, "labels").items() if k not in _JOB_LABELS}
        result["metadata"] = {**metadata, "labels": labels} if labels else metadata
    elif body.get("kind") == SERVICE.kind:
        result["spec"] = _without_addresses(spec, object_at(desired, "spec"))
    return result


def _without_counters(metadata: JsonObject, desired: JsonObject) -> None:
    """Leave out what controllers note on an object (the revision of a Deployment, the binding of a claim)."""
    annotations = object_at(metadata, "annotations")
    kept = {k: v for k, v in annotations.items() if k in desired or not of_the_cluster(k)}
    if kept != annotations:
        metadata["annotations"] = kept
    if not kept:
        metadata.pop("annotations", None)


def _without_selector(spec: JsonObject) -> JsonObject:
    template = object_at(spec, "template")
    labels = {k: v for k, v in object_at(template, "metadata", "labels").items() if k not in _JOB_LABELS}
    metadata = {k: v for k, v in object_at(template, "metadata").items() if k != "labels"}
    if labels:
        metadata["labels"] = labels
    kept = {k: v for k, v in template.items() if k != "metadata"}
    if metadata:
        kept["metadata"] = metadata
    return {**{k: v for k, v in spec.items() if k != "selector"}, "template": kept}


def _without_addresses(spec: JsonObject, desired: JsonObject) -> JsonObject:
    kept = {k: v for k, v in spec.items() if k not in _ADDRESSES or k in desired}
    named = {port.get("nodePort") for port in array_at(desired, "ports")}
    kept["ports"] = [
        {k: v for k, v in port.items() if k != "nodePort" or v in named} for port in array_at(spec, "ports")
    ]
    return kept


def propagation(kind: GroupKind, live: JsonObject, desired: JsonObject) -> Propagation:
    """How the old object is deleted.

    A Job stays until its pods are gone, so that two never work at a time. The pods of a StatefulSet stay and
    become the new one's, as long as it selects them.
    """
    if kind == JOB:
        return Propagation.FOREGROUND
    if kind == STATEFUL_SET and child(live, "spec", "selector") == child(desired, "spec", "selector"):
        return Propagation.ORPHAN
    return Propagation.BACKGROUND


def cost(kind: GroupKind, live: JsonObject, desired: JsonObject) -> str:
    """What goes with the old object, for a sentence; "" when nothing of note."""
    if kind == STATEFUL_SET:
        return _cost_of_stateful_set(live, desired)
    address = child(live, "spec", "clusterIP")
    if kind == SERVICE and address not in {None, "", "None"} and not child(desired, "spec", "clusterIP"):
        return "it gets another cluster IP"
    return _COSTS.get(kind, "")


def _cost_of_stateful_set(live: JsonObject, desired: JsonObject) -> str:
    if propagation(STATEFUL_SET, live, desired) is Propagation.ORPHAN:
        return "its pods and claims stay and become the new one's (claims that exist keep their size)"
    retention = child(live, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
    claims = "its claims are deleted with it" if retention == "Delete" else "its claims stay"
    return f"all its pods are deleted; {claims}"


def at_work(live: JsonObject) -> bool:
    """Whether a Job has a pod that works. One whose pods cannot start (or that waits to try again) has not."""
    return bool(child(live, "status", "ready")) and bool(child(live, "status", "active"))
