"""What a cluster entry still has and Git no longer names: deleted, waiting for somebody, or left."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fleetmgr.engine.compare import visible
from fleetmgr.engine.keeping import keeps_by_annotation
from fleetmgr.engine.ownership import Owner
from fleetmgr.engine.protection import NAMESPACE, protection
from fleetmgr.engine.secrecy import is_secret, mask_pair
from fleetmgr.model.change import Change, Confirmation, Op
from fleetmgr.model.consent import address
from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.model.objects import ref_of
from fleetmgr.model.policy import OnRemove, Prune
from fleetmgr.operations.embedded.contents import stranger_in
from fleetmgr.operations.embedded.scene import Scene


def no_longer_desired(scene: Scene) -> list[Change]:
    """Members of the selected apps' inventories that no app of this entry desires any more. Raises ClusterError."""
    found = list(_leftovers(scene))
    going = frozenset(c.ref.key for c in found if c.op is Op.DELETE and c.needs is None)
    return [_whole_namespace(scene, change, going) for change in found]


def being_deleted(live: JsonObject) -> str:
    """That an object is on its way out, and what holds it."""
    finalizers = ", ".join(map(str, child(live, "metadata", "finalizers") or ())) or "none"
    return f"is being deleted (finalizers: {finalizers})"


def _leftovers(scene: Scene) -> Iterator[Change]:
    for key, live in scene.live.items():
        if key in scene.resources or key in scene.hooks:
            continue
        whose = scene.whose(live)
        if whose.app is not None and whose.app in scene.apps:
            yield _leftover(scene, live, whose.owner, whose.app)


def _leftover(scene: Scene, live: JsonObject, owner: Owner, app: str) -> Change:
    before = visible(live)
    if is_secret(live):
        before, _ = mask_pair(before, None)
    change = Change(op=Op.DELETE, app=app, ref=ref_of(live), live=before)
    left = replace(change, op=Op.ORPHANED, live=None)
    if owner is not Owner.OURS:
        reason = "carries this app's label but was not applied by us: left alone"
        return replace(left, op=Op.UNPROVEN, reason=reason)
    if object_at(live, "metadata").get("deletionTimestamp"):
        return replace(left, reason=being_deleted(live))
    return _destroyed(scene, change, live) if scene.removing else _pruned(scene, change, live)


def _pruned(scene: Scene, change: Change, live: JsonObject) -> Change:
    app, left = change.app, replace(change, op=Op.ORPHANED, live=None)
    prune, kept = removal(scene, app)
    if prune is Prune.NEVER:
        return replace(left, reason=f"no longer in Git; {kept}")
    why = keeps_by_annotation(live) or protection(live)
    if why is not None and not scene.consent.names(change.ref):
        hint = f"to delete it: --delete-protected {address(change.ref)}"
        return replace(left, needs=Confirmation.NAME, reason=f"no longer in Git; protected: {why}; {hint}")
    gone = "no longer in Git" if scene.stack_app(app) else "its app is no longer on this cluster"
    asks = prune is Prune.CONFIRM and why is None and not scene.consent.confirm_deletes
    if asks:
        return replace(
            change, needs=Confirmation.DELETES, reason=f"{gone}; needs confirmation (prune: confirm)"
        )
    return replace(change, reason=gone)


def _destroyed(scene: Scene, change: Change, live: JsonObject) -> Change:
    """Whoever destroys an app has said what prune and onRemove are there to ask; what is protected stays as ever."""
    why = keeps_by_annotation(live) or protection(live)
    if why is None or scene.consent.names(change.ref):
        return change
    hint = f"to delete it: --delete-protected {address(change.ref)}"
    return replace(
        change, op=Op.ORPHANED, live=None, needs=Confirmation.NAME, reason=f"stays; protected: {why}; {hint}"
    )


def removal(scene: Scene, app: str) -> tuple[Prune, str]:
    """Whether what an app no longer names is deleted, and why not. For an app that is gone from fleet.yaml counts
    what its last apply said of its removal."""
    current = scene.stack_app(app)
    if current is not None:
        return current.policy.prune, "prune is off"
    record = scene.record(app)
    on_remove = record.on_remove if record is not None else OnRemove.ORPHAN
    if record is not None and record.prune is not Prune.NEVER:
        return on_remove.prune, "onRemove was orphan when its app was last applied"
    return on_remove.prune, "prune was off when its app was last applied"


def _whole_namespace(scene: Scene, change: Change, going: frozenset[object]) -> Change:
    """A Namespace goes only if nothing stays in it, unless that was named as well."""
    if change.op is not Op.DELETE or change.ref.key.group_kind != NAMESPACE:
        return change
    if scene.consent.names_contents(change.ref):
        return change
    stranger = stranger_in(scene, change.ref.name, going)
    if stranger is None:
        return change
    left = "stays" if scene.removing else "no longer in Git"
    return replace(
        change,
        op=Op.ORPHANED,
        live=None,
        needs=Confirmation.NAME,
        reason=f"{left}; {stranger} would go with it; to delete it with everything in it: "
        f"--delete-protected '{address(change.ref)}/*'",
    )
