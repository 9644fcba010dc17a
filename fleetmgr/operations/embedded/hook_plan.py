"""Which hooks an apply would run, as Changes of the plan. Nothing is read for apps whose hooks are not due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from fleetmgr.engine.hooks import IN_A_SYNC, REMOVING, attempt_of, has_run, is_due, somebodys_hook
from fleetmgr.engine.ownership import Owner
from fleetmgr.engine.record import HookMemory
from fleetmgr.engine.secrecy import is_secret, mask_pair
from fleetmgr.model.change import Change, HookRun, Op
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.ordering import REMOVAL, Phase
from fleetmgr.model.resource import Hook
from fleetmgr.model.upkeep import visible
from fleetmgr.operations.embedded.asking import ask
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.parents import recorded_objects
from fleetmgr.operations.embedded.scene import CRD, Scene

_TOLD = {
    Phase.PRE_SYNC: "runs before the app is written",
    Phase.SYNC: "runs while the app is written",
    Phase.POST_SYNC: "runs once the app is Healthy",
    Phase.PRE_DELETE: "runs before the app is deleted",
    Phase.POST_DELETE: "runs once the app is deleted",
}


def hook_changes(scene: Scene, changes: Sequence[Change]) -> list[Change]:
    """One Change for each phase of each hook that an apply of ``changes`` runs; CONFLICT or DENIED where one cannot.

    Hooks of SyncFail are not listed: they run if the apply fails. Raises ClusterError.
    """
    if not scene.hooks:
        return []
    due: list[tuple[Hook, Phase]] = []
    for app in sorted({h.resource.app for h in scene.hooks.values()} & scene.apps):
        due += _due(scene, app, [c for c in changes if c.app == app])
    return in_parallel(lambda pair: _judge(scene, changes, *pair), due)


def hooks_of(scene: Scene, app: str, phases: Iterable[Phase]) -> list[Hook]:
    """The app's hooks that have one of the phases."""
    wanted = set(phases)
    return [
        h for h in scene.hooks.values() if h.resource.app == app and wanted & set(h.ordering.phases or ())
    ]


def hook_memory(scene: Scene, app: str) -> HookMemory | None:
    """What the app's record says of its hooks."""
    record = scene.record(app)
    return record.hooks if record is not None else None


def attempt(scene: Scene, app: str) -> str:
    """What the app's members are to be, as a name."""
    current = scene.stack_app(app)
    if current is None:
        return REMOVING
    secrets = any(r.app == app and is_secret(r.inputs) for r in scene.resources.values())
    return attempt_of(recorded_objects(scene, app), current.artifact_digest if secrets else "")


def removal_hooks(scene: Scene, app: str) -> list[tuple[Hook, Phase]]:
    """What runs around the deletion of all objects of an app, and has not run yet."""
    memory = hook_memory(scene, app)
    return [
        (hook, phase)
        for phase in REMOVAL
        for hook in hooks_of(scene, app, (phase,))
        if not has_run(memory, hook, phase, REMOVING)
    ]


def _due(scene: Scene, app: str, changes: Sequence[Change]) -> Iterator[tuple[Hook, Phase]]:
    if scene.stack_app(app) is None:
        if _leaves(scene, app, changes):
            yield from removal_hooks(scene, app)
        return
    hooks = hooks_of(scene, app, IN_A_SYNC)
    if not hooks:
        return
    memory, wanted = hook_memory(scene, app), attempt(scene, app)
    moving = any(c.op.writes and not c.drift for c in changes)
    if is_due(memory, wanted, first=scene.record(app) is None, changes=moving):
        for phase in IN_A_SYNC:
            for hook in hooks:
                if phase in (hook.ordering.phases or ()) and not has_run(memory, hook, phase, wanted):
                    yield hook, phase


def _leaves(scene: Scene, app: str, changes: Sequence[Change]) -> bool:
    """Whether an app is deleted now: as a whole, or, where it is destroyed, but for what is protected."""
    if not any(c.op is Op.ORPHANED for c in changes):
        return True
    memory = hook_memory(scene, app)
    begun = memory is not None and memory.attempt == REMOVING
    return scene.removing and (begun or any(c.op is Op.DELETE for c in changes))


def _judge(scene: Scene, changes: Sequence[Change], hook: Hook, phase: Phase) -> Change:
    resource = hook.resource
    ref = resource.ref
    change = Change(
        op=Op.HOOK,
        app=resource.app,
        ref=ref,
        origin=resource.origin if scene.stack_app(resource.app) is not None else None,
        reason=f"{phase.value}: {_TOLD[phase]}",
        hook=HookRun(phase=phase.value, wave=hook.ordering.wave),
        result=_shown(resource.inputs),
    )
    served = scene.discovery.find(*ref[:3])
    if served is None:
        if any(c.op is Op.CREATE and c.ref.key.group_kind == CRD for c in changes):
            return replace(change, unverified=True)
        reason = f"this cluster does not serve {ref.kind} in {ref.api_version}; install its CRD first"
        return replace(change, op=Op.DENIED, reason=reason)
    live = scene.live.get(ref.key) or scene.client.get(served, namespace=ref.namespace, name=ref.name)
    if live is not None:
        against = not_ours(scene, hook, live)
        return replace(change, op=Op.CONFLICT, reason=against) if against else change
    if ref.namespace and ref.namespace not in scene.namespaces:
        return change
    asked = ask(scene, resource, served, replace(change, op=Op.CREATE))
    if isinstance(asked, Change):
        kept = asked.op if asked.op is Op.DENIED else Op.HOOK
        return replace(asked, op=kept)
    return change


def not_ours(scene: Scene, hook: Hook, live: JsonObject) -> str | None:
    """Why the object in a hook's place must stay; None when it may go: we made it, or another tool has run it as a
    hook and its app is adopted."""
    whose = scene.whose(live)
    if whose.owner is Owner.OURS and whose.app == hook.resource.app:
        return None
    adopts = scene.adopts(hook.resource.app)
    if whose.owner is Owner.FOREIGN and somebodys_hook(live):
        return None if adopts else "a hook that another tool has run is in its place; --adopt deletes it"
    return f"an object that is not this app's is in the place of a hook ({whose.holder or 'made by somebody else'})"


def _shown(body: JsonObject) -> JsonObject | None:
    after = visible(body)
    return mask_pair(None, after)[1] if is_secret(body) else after
