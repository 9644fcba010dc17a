"""Writing objects side by side; namespaces and CRDs of all apps go before everything else."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.engine.order import stages
from fleetmgr.errors import FleetError
from fleetmgr.model.change import Change, Op
from fleetmgr.model.objects import GroupKind, ObjectKey
from fleetmgr.operations.embedded.adopting import write_adoption
from fleetmgr.operations.embedded.gates import Walk, Write, Written, drive, pass_gate
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.persisting import persistently
from fleetmgr.operations.embedded.pulumi import performing
from fleetmgr.operations.embedded.recreating import recreate
from fleetmgr.operations.embedded.run import Run, check_stop, settle_all
from fleetmgr.operations.embedded.scene import CRD
from fleetmgr.operations.embedded.wait import Until
from fleetmgr.operations.embedded.write import write_namespace, write_resource

NAMESPACE = GroupKind("", "Namespace")


def goes_first(change: Change) -> bool:
    """Namespaces and CRDs go before everything, whatever their app."""
    return change.op is not Op.HOOK and change.ref.key.group_kind in (CRD, NAMESPACE)


def write_steps(run: Run, wanted: Sequence[Write]) -> dict[str, Written]:
    """Perform what apps may write now: the Writer of ``drive``. Raises Interrupted, ClusterError and PulumiError."""
    if run.scene.pulumi is not None:
        return performing.write_steps(run, run.scene.pulumi, wanted)
    return {one.app: Written(well=_write_step(run, one.changes)) for one in wanted}


def _write_step(run: Run, changes: Sequence[Change]) -> bool:
    """In kind order, until one stage has a failure."""
    by_key: dict[ObjectKey, Change] = {c.ref.key: c for c in changes}
    for stage in stages(c.ref for c in changes):
        if not write_all(run, [by_key.pop(ref.key) for ref in stage]):
            run.skipped(by_key.values(), "an object before it failed")
            return False
    return True


def write_prerequisites(run: Run, writes: Sequence[Change]) -> None:
    """Namespaces and CRDs of all apps; the CRDs are served afterwards. Raises Interrupted and ClusterError."""
    first = [c for c in writes if goes_first(c) and c.op is not Op.DELETE]
    if run.scene.pulumi is not None:
        if first:
            apps = sorted({c.app for c in first})
            write_steps(run, [Write(app=a, changes=tuple(c for c in first if c.app == a)) for a in apps])
    else:
        for stage in stages(c.ref for c in first):
            write_all(run, [c for c in first if c.ref in stage])
    definitions = sorted({c.app for c in first if c.ref.key.group_kind == CRD} - run.failed_apps)
    if definitions:
        drive(run, {app: _established(run, app) for app in definitions}, write_steps)
        run.scene.client.discover(fresh=True)


def _established(run: Run, app: str) -> Walk:
    definitions = [r for r in run.scene.resources.values() if r.app == app and r.ref.key.group_kind == CRD]
    verdict = yield from pass_gate(run, app, Until.HEALTHY, tuple(definitions))
    if not verdict.passed:
        run.health[app] = verdict.health


def write_all(run: Run, changes: Sequence[Change]) -> bool:
    """Write some objects at the same time; false when one of them failed. Raises Interrupted and ClusterError."""
    check_stop(run)

    def write(change: Change) -> FleetError | tuple[str, ...]:
        try:
            return persistently(run, change.app, lambda: _write(run, change))
        except FleetError as error:
            return error

    return settle_all(run, changes, in_parallel(write, changes))


def _write(run: Run, change: Change) -> tuple[str, ...]:
    resource = run.scene.resources.get(change.ref.key)
    if resource is None:
        return write_namespace(run.scene, change.ref)
    if change.op is Op.ADOPT:
        return write_adoption(run.scene, resource, change)
    if change.op is Op.REPLACE:
        return recreate(run, resource, change)
    return write_resource(run.scene, resource)
