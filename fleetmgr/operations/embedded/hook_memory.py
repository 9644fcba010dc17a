"""What an apply notes about hooks before, while and after it runs them."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.engine.hooks import IN_A_SYNC, REMOVING, begun, ended_well, has_run, is_due, kept_for_removal
from fleetmgr.engine.record import HookMemory, Record
from fleetmgr.model.change import Op
from fleetmgr.model.ordering import REMOVAL, DeletePolicy, Phase
from fleetmgr.model.resource import Hook
from fleetmgr.operations.embedded.hook_plan import attempt, hook_memory, hooks_of, not_ours
from fleetmgr.operations.embedded.hooks import delete_hook
from fleetmgr.operations.embedded.parents import note_hooks
from fleetmgr.operations.embedded.run import Run
from fleetmgr.operations.embedded.scene import Scene


def begin_attempts(run: Run) -> None:
    """Note what each app with hooks is being brought to, before anything of it is written."""
    scene = run.scene
    for app in sorted({h.resource.app for h in scene.hooks.values()} & scene.apps):
        before = hook_memory(scene, app)
        memory = _at_start(run, app, before)
        if memory is None:
            continue
        if memory.attempt:
            run.hook_memory[app] = memory
        if memory != before:
            note_hooks(scene, app, memory)


def _at_start(run: Run, app: str, before: HookMemory | None) -> HookMemory | None:
    """The memory with the attempt that this run makes or takes up; None for an app that it does not touch."""
    scene = run.scene
    changes = [c for c in run.plan.changes if c.app == app and c.op.writes]
    if not changes:
        return None
    removal = hooks_of(scene, app, REMOVAL)
    if any(c.hook is not None and c.hook.phase in _REMOVING for c in changes):
        return begun(before, REMOVING, removal)
    moving = any(c.op is not Op.HOOK and not c.drift for c in changes)
    wanted = attempt(scene, app)
    in_a_sync = hooks_of(scene, app, (*IN_A_SYNC, Phase.SYNC_FAIL))
    if in_a_sync and is_due(before, wanted, first=scene.record(app) is None, changes=moving):
        return begun(before, wanted, removal)
    return replace(before or HookMemory(), removal=kept_for_removal(removal))


_REMOVING = frozenset(phase.value for phase in REMOVAL)


def memory_after(run: Run, app: str, record: Record, *, well: bool) -> Record:
    """The record with what is to be known of the app's hooks from now on; ``well``: the apply of the app ended so."""
    scene = run.scene
    if scene.stack_app(app) is None:
        memory = run.hook_memory.get(app, record.hooks)
        if scene.removing and memory is not None:
            memory = replace(memory, synced="")  # what is applied again is applied for the first time
        return replace(record, hooks=memory)
    removal = hooks_of(scene, app, REMOVAL)
    if not removal and not hooks_of(scene, app, (*IN_A_SYNC, Phase.SYNC_FAIL)):
        return replace(record, hooks=None)
    memory = run.hook_memory.get(app) or hook_memory(scene, app) or HookMemory()
    if well and memory.attempt and _all_ran(scene, app, memory):
        return replace(record, hooks=ended_well(memory.attempt, removal))
    return replace(record, hooks=replace(memory, removal=kept_for_removal(removal)))


def attempt_left(scene: Scene, app: str) -> bool:
    """Whether the memory of an app's hooks is behind: an attempt that is over was not noted as such, or what runs at
    its removal has changed."""
    record = scene.record(app)
    if record is None or scene.stack_app(app) is None:
        return False
    if leftovers(scene, app):
        return True
    memory = record.hooks or HookMemory()
    if memory.removal != kept_for_removal(hooks_of(scene, app, REMOVAL)):
        return True
    return bool(memory.attempt) and memory.attempt == attempt(scene, app) and _all_ran(scene, app, memory)


def leftovers(scene: Scene, app: str) -> list[Hook]:
    """Hooks that have run and whose object should be gone: a run was killed before it deleted it."""
    memory = hook_memory(scene, app)
    if memory is None:
        return []
    return [
        hook
        for hook in hooks_of(scene, app, IN_A_SYNC)
        if DeletePolicy.SUCCEEDED in hook.ordering.policies
        and hook.resource.ref.key in scene.live
        and not_ours(scene, hook, scene.live[hook.resource.ref.key]) is None
        and _over(memory, hook)
    ]


def _over(memory: HookMemory, hook: Hook) -> bool:
    phases = [phase for phase in hook.ordering.phases or () if phase in IN_A_SYNC]
    return not memory.attempt or all(has_run(memory, hook, phase, memory.attempt) for phase in phases)


def clean_up(run: Run, app: str) -> None:
    """Delete what an earlier run has left. Raises ClusterError."""
    for hook in leftovers(run.scene, app):
        delete_hook(run.scene, hook)


def _all_ran(scene: Scene, app: str, memory: HookMemory) -> bool:
    return all(
        has_run(memory, hook, phase, memory.attempt)
        for phase in IN_A_SYNC
        for hook in hooks_of(scene, app, (phase,))
    )
