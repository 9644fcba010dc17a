"""What an apply would change, read from the server's answer to its dry run, without what is no change.

Two things look like one. The object may have moved between our read and the answer (a controller counted up a
revision): then it is read again, and asked about again where it goes on moving. And an empty map or list that the
server drops when it stores the object comes back in every answer: it is no change if our own fieldset holds it, because
then it was applied and dropped. Where somebody removed it, our fieldset does not hold it any more.
"""

from __future__ import annotations

from collections.abc import Callable

from fleetmgr.engine.compare import changes_between
from fleetmgr.engine.fieldset import apply_fields, holds
from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied

_TRIES = 4
"""A Node whose taints two controllers write is another one within milliseconds."""


def of_one_version(
    scene: Scene,
    resource: Resource,
    served: ApiResource,
    live: JsonObject,
    answer: JsonObject,
    ask_again: Callable[[], JsonObject | None],
) -> tuple[JsonObject, JsonObject]:
    """``live`` and ``answer`` (the object after the apply) of one moment, if there is such a moment; the last two
    otherwise. ``ask_again`` None: there is no other answer. Raises ClusterError."""
    for _ in range(_TRIES):
        if _version(live) == _version(answer) or not changes_between(live, answer, {}):
            break
        live = _now(scene, resource, served) or live
        if _version(live) == _version(answer):
            break
        answer = ask_again() or answer
    return live, answer


def answered_diff(live: JsonObject, answer: JsonObject, manager: str) -> tuple[FieldDiff, ...]:
    """What differs between ``live`` and ``answer``, the object after the apply."""
    diff = changes_between(live, answer, apply_fields(answer, manager))
    held = apply_fields(live, manager)
    return tuple(d for d in diff if not (d.old is None and d.new in ({}, []) and holds(held, d.path)))


def _now(scene: Scene, resource: Resource, served: ApiResource) -> JsonObject | None:
    """The object as it is now; None where it cannot be read alone (what a LIST gave must do then)."""
    try:
        return scene.client.get(served, namespace=resource.ref.namespace, name=resource.ref.name)
    except AccessDenied:
        return None


def _version(body: JsonObject) -> object:
    return object_at(body, "metadata").get("resourceVersion")
