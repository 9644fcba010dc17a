"""Running hooks: what is in the way goes, the object is created, waited for, remembered, and cleaned up by its policy.

Remembered before it is cleaned up: a run that is killed at any point neither runs a hook twice nor forgets one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import ClassVar

from msgspec.structs import replace

from fleetmgr.engine.hooks import as_run, content_of, is_run_of, ran_key
from fleetmgr.engine.order import stages, steps
from fleetmgr.errors import FleetError, Problem, Where
from fleetmgr.health.rules import health_of
from fleetmgr.model.change import Change, HookRun, Op
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.ordering import DeletePolicy, Phase
from fleetmgr.model.report import ObjectHealth
from fleetmgr.model.resource import Hook
from fleetmgr.operations.embedded.gates import Part, pass_gate, pass_leaving
from fleetmgr.operations.embedded.hook_plan import hooks_of, not_ours
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.parents import note_hooks
from fleetmgr.operations.embedded.run import Run, at_origin, check_stop, settle_dead
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.wait import Until, Verdict
from fleetmgr.operations.embedded.write import Changed, served_as


class HookFailed(FleetError):
    """A hook ran and failed, or did not complete in time."""

    code: ClassVar[str] = "FLT-2030"


class _Found(Enum):
    """What is in a hook's place before it runs."""

    NOTHING = auto()
    THIS_RUN = auto()
    """A run that was stopped has created it: it is waited for, not started again."""
    LEAVING = auto()
    """What was there is deleted, but still there."""


def run_phase(run: Run, app: str, phase: Phase) -> Part:
    """All hooks of a phase that the plan holds, step by step. False once one has failed."""
    listed = {c.ref: c for c in run.hook_changes(app, phase)}
    hooks = {h.resource.ref: h for h in hooks_of(run.scene, app, (phase,))}
    order = steps((ref, hooks[ref].ordering) for ref in listed if ref in hooks)
    for number, step in enumerate(order):
        if not (yield from run_hooks(run, app, phase, [listed[ref] for ref in step])):
            left = [listed[ref] for later in order[number + 1 :] for ref in later]
            run.skipped(left, "a hook before it failed")
            return False
    return True


def run_sync_fail(run: Run, app: str) -> Part:
    """The hooks of an apply that has failed. They are in no plan, and whatever becomes of them the app has failed."""
    hooks = hooks_of(run.scene, app, (Phase.SYNC_FAIL,)) if app in run.hook_memory else []
    for step in steps((hook.resource.ref, hook.ordering) for hook in hooks):
        changes = [_sync_fail(run.scene.hooks[ref.key]) for ref in step]
        if not (yield from run_hooks(run, app, Phase.SYNC_FAIL, changes)):
            break
    return False


def _sync_fail(hook: Hook) -> Change:
    resource = hook.resource
    told = HookRun(phase=Phase.SYNC_FAIL.value, wave=hook.ordering.wave)
    return Change(op=Op.HOOK, app=resource.app, ref=resource.ref, origin=resource.origin, hook=told)


def _attempt(run: Run, app: str) -> str:
    memory = run.hook_memory.get(app)
    return memory.attempt if memory is not None else ""


def run_hooks(run: Run, app: str, phase: Phase, changes: Sequence[Change]) -> Part:
    """Hooks that may run side by side. False once one has failed; each is booked as it ends.

    Raises Interrupted (what runs goes on, and the next apply waits for it) and ClusterError.
    """
    if not changes:
        return True
    check_stop(run)
    hooks = {c.ref: run.scene.hooks[c.ref.key] for c in changes}
    found = _clear(run, phase, changes)
    resources = {ref: hook.resource for ref, hook in hooks.items()}
    leaving = tuple(ref for ref, what in found.items() if what is _Found.LEAVING)
    if leaving:
        verdict = yield from pass_leaving(run, app, leaving)
        if not verdict.passed:
            _book(run, changes, verdict)
            return False
    _create(run, phase, [c for c in changes if found.get(c.ref) in (_Found.NOTHING, _Found.LEAVING)])
    going = [c for c in changes if c.ref in found and c.ref not in run.broken]
    if going:
        verdict = yield from pass_gate(run, app, Until.COMPLETE, tuple(resources[c.ref] for c in going))
        _conclude(run, app, phase, going, verdict)
    return not any(c.ref in run.broken for c in changes)


def _clear(run: Run, phase: Phase, changes: Sequence[Change]) -> dict[ObjectRef, _Found]:
    """What is in each hook's place once the old is deleted; those that cannot run are booked and left out."""

    def clear(change: Change) -> FleetError | _Found:
        try:
            return _clear_one(run, run.scene.hooks[change.ref.key], phase)
        except FleetError as error:
            return error

    answers = in_parallel(clear, changes)
    found: dict[ObjectRef, _Found] = {}
    for change, answer in zip(changes, answers, strict=True):
        if isinstance(answer, FleetError):
            run.broke(change, at_origin(run, change, answer))
        else:
            found[change.ref] = answer
    settle_dead(answers)
    return found


def _clear_one(run: Run, hook: Hook, phase: Phase) -> _Found:
    scene, ref = run.scene, hook.resource.ref
    served = served_as(scene, ref)
    live = scene.client.get(served, namespace=ref.namespace, name=ref.name)
    if live is None:
        return _Found.NOTHING
    failed = health_of(live, scene.entry.health).status is HealthStatus.DEGRADED
    if is_run_of(live, hook, phase, _attempt(run, hook.resource.app)) and not failed:
        return _Found.THIS_RUN
    against = not_ours(scene, hook, live)
    if against is not None:
        raise Changed(against, where=Where(cluster=run.cluster, object=str(ref)), hint="plan again")
    uid = str(object_at(live, "metadata")["uid"])
    scene.client.delete(served, namespace=ref.namespace, name=ref.name, uid=uid)
    gone = scene.client.get(served, namespace=ref.namespace, name=ref.name) is None
    return _Found.NOTHING if gone else _Found.LEAVING


def _create(run: Run, phase: Phase, changes: Sequence[Change]) -> None:
    def create(change: Change) -> FleetError | tuple[str, ...]:
        try:
            scene = run.scene
            hook = scene.hooks[change.ref.key]
            body: JsonObject = as_run(hook, phase, _attempt(run, change.app))
            served = served_as(scene, change.ref)
            answer = scene.client.apply(served, body, manager=scene.entry.manager, force=False, dry_run=False)
        except FleetError as error:
            return error
        return answer.warnings

    for stage in stages(c.ref for c in changes):
        members = [c for c in changes if c.ref in stage]
        answers = in_parallel(create, members)
        for change, answer in zip(members, answers, strict=True):
            if isinstance(answer, FleetError):
                run.broke(change, at_origin(run, change, answer))
            else:
                run.warnings += answer
        settle_dead(answers)


def _conclude(run: Run, app: str, phase: Phase, changes: Sequence[Change], verdict: Verdict) -> None:
    _book(run, changes, verdict)
    memory = run.hook_memory.get(app)
    ended = [c for c in changes if c.ref not in run.broken]
    if memory is not None and phase is not Phase.SYNC_FAIL and ended:
        keys = {ran_key(phase, c.ref.key): content_of(run.scene.hooks[c.ref.key]) for c in ended}
        run.hook_memory[app] = memory = replace(memory, ran={**memory.ran, **keys})
        note_hooks(run.scene, app, memory)
    for change in changes:
        _clean(run, change)


def _book(run: Run, changes: Sequence[Change], verdict: Verdict) -> None:
    judged: dict[ObjectRef, ObjectHealth] = {o.ref: o for o in verdict.objects}
    for change in changes:
        seen = judged.get(change.ref)
        if seen is None or seen.health.status is HealthStatus.HEALTHY:
            run.done(change)
            continue
        phase = change.hook.phase if change.hook else "hook"
        how = "failed" if seen.health.status is HealthStatus.DEGRADED else "did not complete"
        message = f"{phase} hook {how}: {seen.health.message or seen.health.status.value}"
        where = change.origin.where(obj=str(change.ref), cluster=run.cluster) if change.origin else None
        where = where or Where(cluster=run.cluster, object=str(change.ref))
        hint = "look at its pods' logs; the next apply runs it again"
        run.broke(change, Problem(message=message, where=where, hint=hint, code=HookFailed.code))


def _clean(run: Run, change: Change) -> None:
    """Delete a hook's object where its policy says so."""
    hook = run.scene.hooks[change.ref.key]
    ended = DeletePolicy.FAILED if change.ref in run.broken else DeletePolicy.SUCCEEDED
    if ended not in hook.ordering.policies and run.scene.stack_app(change.app) is not None:
        return
    delete_hook(run.scene, hook)


def delete_hook(scene: Scene, hook: Hook) -> None:
    """Delete a hook's object, if it is there and may go. Raises ClusterError."""
    ref = hook.resource.ref
    served = served_as(scene, ref)
    live = scene.client.get(served, namespace=ref.namespace, name=ref.name)
    if live is not None and not_ours(scene, hook, live) is None:
        uid = str(object_at(live, "metadata")["uid"])
        scene.client.delete(served, namespace=ref.namespace, name=ref.name, uid=uid)
