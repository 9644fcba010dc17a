"""Webhooks that come or change with a plan: what the server said without them is marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from fleetmgr.engine.admission import CREATE, DELETE, UPDATE, is_webhook_configuration, sees
from fleetmgr.engine.compare import differing
from fleetmgr.engine.protection import NAMESPACE
from fleetmgr.model.change import Change, Op
from fleetmgr.model.jsontypes import JsonObject, array_at, is_object, object_at
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.scene import Scene, plural_of

_OPERATIONS = {
    Op.CREATE: frozenset({CREATE}),
    Op.HOOK: frozenset({CREATE}),
    Op.REPLACE: frozenset({CREATE, DELETE}),
    Op.UPDATE: frozenset({UPDATE}),
    Op.ADOPT: frozenset({UPDATE}),
    Op.MOVE: frozenset({UPDATE}),
}


def with_doubts(scene: Scene, changes: Sequence[Change]) -> list[Change]:
    """``changes``, each object that a webhook of this very plan is to see as unverified: the server was asked without
    that webhook."""
    coming = [hook for change in changes if change.op in _OPERATIONS for hook in _new(scene, change)]
    if not coming:
        return list(changes)
    namespaces = {
        r.ref.name: object_at(r.inputs, "metadata", "labels")
        for r in scene.resources.values()
        if r.ref.key.group_kind == NAMESPACE
    }
    return [_doubted(scene, change, coming, namespaces) for change in changes]


def _new(scene: Scene, change: Change) -> Iterator[JsonObject]:
    """Webhooks of a configuration that is written now, but for those that are live already as they are wanted."""
    if not is_webhook_configuration(change.ref) or change.ref.key not in scene.resources:
        return
    live = scene.live.get(change.ref.key, {})
    known = {h["name"]: h for h in array_at(live, "webhooks") if is_object(h) and "name" in h}
    for hook in array_at(scene.resources[change.ref.key].inputs, "webhooks"):
        if is_object(hook):
            before = known.get(hook.get("name"))
            if before is None or differing(hook, before, {}):
                yield hook


def _doubted(
    scene: Scene, change: Change, coming: Sequence[JsonObject], namespaces: dict[str, JsonObject]
) -> Change:
    resource = _resource(scene, change)
    operations = _OPERATIONS.get(change.op)
    if resource is None or operations is None:
        return change
    plural = plural_of(scene, change.ref)
    names = [str(hook.get("name")) for hook in coming if sees(hook, resource, plural, operations, namespaces)]
    if not names:
        return change
    said = f"webhook{'s' if len(names) > 1 else ''} {', '.join(sorted(names))} of this plan may change or refuse it"
    return replace(change, unverified=True, reason=f"{change.reason}; {said}" if change.reason else said)


def _resource(scene: Scene, change: Change) -> Resource | None:
    hook = scene.hooks.get(change.ref.key) if change.op is Op.HOOK else None
    return hook.resource if hook is not None else scene.resources.get(change.ref.key)
