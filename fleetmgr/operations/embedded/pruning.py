"""Deleting what is no longer desired: last, backwards, and only if nothing went wrong.

Backwards is: apps before those that they depend on, inside an app the last wave and kind first, and the definitions
and namespaces of all apps at the very end. What finalizers hold must be gone before anything that it may still need.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.engine.order import backwards, stages, steps
from fleetmgr.errors import FleetError
from fleetmgr.model.change import Change, Op
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.ordering import REMOVAL, Phase, ordering_of
from fleetmgr.operations.embedded.gates import After, Walk, drive, pass_leaving
from fleetmgr.operations.embedded.hooks import run_phase
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.persisting import persistently
from fleetmgr.operations.embedded.pulumi import deleting
from fleetmgr.operations.embedded.run import Run, check_stop, settle_all
from fleetmgr.operations.embedded.stages import goes_first, write_steps
from fleetmgr.operations.embedded.write import delete_object

_PHASES = frozenset(phase.value for phase in REMOVAL)


def of_removal(change: Change) -> bool:
    """Whether this is a hook that runs around the deletion of its app."""
    return change.hook is not None and change.hook.phase in _PHASES


def prune(run: Run, changes: Sequence[Change]) -> None:
    """Delete what the plan says, with the hooks of apps that leave; nothing once something on this cluster has failed.

    Raises Interrupted and ClusterError.
    """
    if run.failed_apps:
        run.left(changes, "not deleted: something else on this cluster failed first")
        return
    drive(run, _walks(run, changes), write_steps)
    last = [c for c in changes if goes_first(c)]
    run.left([c for c in last if c.app in run.failed_apps], "not deleted: the rest of its app is still there")
    _delete(run, [c for c in last if c.app not in run.failed_apps])
    if run.scene.removing:
        _await_gone(run, changes)


def _await_gone(run: Run, changes: Sequence[Change]) -> None:
    """An app is forgotten once nothing of it is left; who destroys it waits for that."""
    lingering = [c for c in changes if c.ref in run.lingering]
    apps = dict.fromkeys(c.app for c in lingering)
    drive(
        run, {app: _until_gone(run, app, [c for c in lingering if c.app == app]) for app in apps}, write_steps
    )


def _until_gone(run: Run, app: str, changes: Sequence[Change]) -> Walk:
    leaving = tuple(c.ref for c in changes)
    if (yield from pass_leaving(run, app, leaving)).passed:
        run.lingering -= set(leaving)


def _walks(run: Run, changes: Sequence[Change]) -> dict[str, Walk]:
    touched = {c.app for c in changes}
    known = [a.name for a in run.scene.stack.apps]
    known += sorted((touched | run.scene.parents.keys()) - set(known), reverse=True)
    order = [a for a in backwards(known, {a: run.scene.needs(a) for a in known}) if a in touched]
    before = [None, *order]
    return {
        app: _prune_app(run, app, [c for c in changes if c.app == app], previous)
        for app, previous in zip(order, before, strict=False)
    }


def _prune_app(run: Run, app: str, changes: Sequence[Change], previous: str | None) -> Walk:
    if previous is not None:
        yield After(app=previous)
    deletes = [c for c in changes if c.op is Op.DELETE and not goes_first(c)]
    hooks = [c for c in changes if c.op is Op.HOOK]
    needing = sorted(a for a in run.failed_apps if app in run.scene.needs(a))
    if needing:
        run.skipped([*deletes, *hooks], f"not deleted: app {needing[0]}, which depends on it, is still there")
    elif not (yield from run_phase(run, app, Phase.PRE_DELETE)):
        later = [c for c in hooks if c.hook is not None and c.hook.phase == Phase.POST_DELETE.value]
        run.skipped([*deletes, *later], "not deleted: a PreDelete hook failed")
    else:
        yield from _delete_steps(run, app, deletes)


def _delete_steps(run: Run, app: str, deletes: Sequence[Change]) -> Walk:
    by_key: dict[ObjectKey, Change] = {c.ref.key: c for c in deletes}
    after = run.hook_changes(app, Phase.POST_DELETE)
    for step in reversed(steps((c.ref, ordering_of(run.scene.live.get(c.ref.key, {}))) for c in deletes)):
        _delete(run, [by_key.pop(ref.key) for ref in step])
        leaving = tuple(ref for ref in step if ref in run.lingering)
        if leaving and (by_key or after):
            yield from pass_leaving(run, app, leaving)
        if app in run.failed_apps:
            run.skipped([*by_key.values(), *after], "not deleted: what comes before it is still there")
            return
    yield from run_phase(run, app, Phase.POST_DELETE)


def _delete(run: Run, changes: Sequence[Change]) -> None:
    if run.scene.pulumi is None:
        _delete_ourselves(run, changes)
    elif changes:
        deleting.delete(run, run.scene.pulumi, changes, lambda left: _delete_ourselves(run, left))


def _delete_ourselves(run: Run, changes: Sequence[Change]) -> None:
    def delete(change: Change) -> FleetError | tuple[str, ...]:
        try:
            if not persistently(run, change.app, lambda: delete_object(run.scene, change)):
                run.lingering.add(change.ref)
        except FleetError as error:
            return error
        return ()

    for stage in reversed(stages(c.ref for c in changes)):
        check_stop(run)
        members = [c for c in changes if c.ref in stage]
        settle_all(run, members, in_parallel(delete, members))
