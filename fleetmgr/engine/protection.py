"""What is never deleted by the way: objects whose contents or data go with them, and what somebody has marked."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind, ref_of

PROTECT_ANNOTATION = "fleetmgr.dev/protect"
NAMESPACE = GroupKind("", "Namespace")

_KINDS = {
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): "every object of its kind goes with it",
    NAMESPACE: "everything in it goes with it",
    GroupKind("", "PersistentVolume"): "its data may go with it",
    GroupKind("", "PersistentVolumeClaim"): "its data may go with it",
}
"""A definition without instances is one as well: whether it has any may be another when the delete is sent."""


def protection(*bodies: JsonObject) -> str | None:
    """Why an object must not be deleted or replaced unless somebody names it; None where it may. ``bodies`` are
    its forms (live, desired): the annotation counts in each."""
    if is_marked(*bodies):
        return f"it is annotated {PROTECT_ANNOTATION}: true"
    return next((why for body in bodies if (why := _KINDS.get(ref_of(body).key.group_kind))), None)


def is_marked(*bodies: JsonObject) -> bool:
    """Whether somebody has annotated an object as protected, in any of its forms."""
    marks = [object_at(body, "metadata", "annotations").get(PROTECT_ANNOTATION) for body in bodies]
    return any(str(mark).lower() == "true" for mark in marks)
