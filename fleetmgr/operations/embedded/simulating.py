"""Planning custom resources whose CRD comes or changes with the same plan: the server cannot know them yet."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.engine.settled import settled
from fleetmgr.engine.structural import schema_of, simulate
from fleetmgr.model.change import Change, Op
from fleetmgr.model.jsontypes import JsonObject, child
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.resource import Resource
from fleetmgr.model.upkeep import visible
from fleetmgr.operations.embedded.scene import CRD, Scene

_API_SERVICE = "APIService"


def simulated(scene: Scene, resource: Resource, change: Change) -> Change | None:
    """``change`` as the schema of the coming CRD judges it: unverified, or denied with what is wrong; None when no
    CRD of this plan defines the kind anew."""
    definition = _coming(scene, resource.ref)
    if definition is None:
        return None
    schema = schema_of(definition.inputs, resource.ref.version)
    if schema is None:
        reason = f"its CRD in this plan does not serve {resource.ref.version}"
        return replace(change, op=Op.DENIED, reason=reason)
    judged = simulate(schema, resource.inputs)
    if judged.problems:
        reason = f"its CRD in this plan does not allow it: {'; '.join(judged.problems)}"
        return replace(change, op=Op.DENIED, reason=reason)
    known = definition.ref.key in scene.live
    reason = f"its CRD {'changes with' if known else 'is created by'} this plan; checked against its schema"
    return replace(change, unverified=True, reason=reason, result=visible(judged.body))


def comes_with_api_service(scene: Scene, ref: ObjectRef) -> bool:
    """Whether an APIService of this plan serves the group and version of a kind that is not served yet."""
    return any(
        r.ref.kind == _API_SERVICE
        and child(r.inputs, "spec", "group") == ref.group
        and child(r.inputs, "spec", "version") == ref.version
        for r in scene.selected()
    )


def _coming(scene: Scene, ref: ObjectRef) -> Resource | None:
    """The CRD of a kind that this plan creates or changes."""
    if "." not in ref.group:
        return None
    for resource in scene.selected():
        if resource.ref.kind == CRD.kind and _defines(resource.inputs, ref):
            live = scene.live.get(resource.ref.key)
            same = live is not None and settled(resource.inputs, live, scene.entry.manager)
            return None if same else resource
    return None


def _defines(body: JsonObject, ref: ObjectRef) -> bool:
    return child(body, "spec", "group") == ref.group and child(body, "spec", "names", "kind") == ref.kind
