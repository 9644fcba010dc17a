"""Writing what is desired: namespaces and CRDs of all apps first, then an app at a time, each in kind order."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.engine.order import stages
from fleetmgr.errors import FleetError
from fleetmgr.model.change import Change, Op
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.report import Outcome
from fleetmgr.operations.embedded.adopting import write_adoption
from fleetmgr.operations.embedded.gates import await_gate, blocked_by
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.recreating import recreate
from fleetmgr.operations.embedded.run import Run, check_stop, settle_all
from fleetmgr.operations.embedded.scene import CRD
from fleetmgr.operations.embedded.write import write_namespace, write_resource

NAMESPACE = GroupKind("", "Namespace")


def goes_first(change: Change) -> bool:
    """Namespaces and CRDs go before everything, whatever their app."""
    return change.ref.key.group_kind in (CRD, NAMESPACE)


def write_prerequisites(run: Run, writes: Sequence[Change]) -> None:
    """Namespaces and CRDs of all apps; the CRDs are served afterwards. Raises Interrupted and ClusterError."""
    first = [c for c in writes if goes_first(c) and c.op is not Op.DELETE]
    for stage in stages(c.ref for c in first):
        _write_all(run, [c for c in first if c.ref in stage])
    definitions = sorted({c.app for c in first if c.ref.key.group_kind == CRD} - run.failed_apps)
    if definitions:
        only = frozenset({CRD})
        await_gate(run, definitions, only=only)
        run.scene.client.discover(fresh=True)


def write_app(run: Run, app: str, changes: Sequence[Change]) -> None:
    """What an app writes, once what it depends on is Healthy. Raises Interrupted and ClusterError."""
    if not changes:
        return
    blocked = blocked_by(run, app)
    if blocked:
        run.skipped(changes, f"app {blocked}, which {app} depends on, failed or is not Healthy")
        return
    for stage in stages(c.ref for c in changes):
        members = [c for c in changes if c.ref in stage]
        if app in run.failed_apps and any(r.outcome is Outcome.FAILED and r.app == app for r in run.results):
            run.skipped(members, "an object before it failed")
        else:
            _write_all(run, members)


def _write_all(run: Run, changes: Sequence[Change]) -> None:
    check_stop(run)

    def write(change: Change) -> FleetError | tuple[str, ...]:
        try:
            resource = run.scene.resources.get(change.ref.key)
            if resource is None:
                return write_namespace(run.scene, change.ref)
            if change.op is Op.ADOPT:
                return write_adoption(run.scene, resource, change)
            if change.op is Op.REPLACE:
                return recreate(run, resource, change)
            return write_resource(run.scene, resource)
        except FleetError as error:
            return error

    settle_all(run, changes, in_parallel(write, changes))
