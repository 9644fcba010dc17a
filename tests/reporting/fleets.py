"""Plans and reports made by hand, as an engine would give them."""

from __future__ import annotations

from fleetmgr.errors import ExitCode, Problem, Where
from fleetmgr.model.change import (
    Change,
    ClusterFailure,
    ClusterPlan,
    ClusterStatus,
    FieldDiff,
    Op,
    Plan,
)
from fleetmgr.model.objects import ObjectRef, Origin
from fleetmgr.planner.build import build

CANARY = "hunter2-CANARY"
WEB = ObjectRef("apps", "v1", "Deployment", "shop-web", "web")
SERVICE = ObjectRef("", "v1", "Service", "shop-web", "web")
SETTINGS = ObjectRef("", "v1", "ConfigMap", "shop-web", "settings")
SECRET = ObjectRef("", "v1", "Secret", "shop-web", "database")
IMAGE = FieldDiff(path="/spec/template/spec/containers/[name=web]/image", old="nginx:1.26", new="nginx:1.27")
ORIGIN = Origin(file="apps/web/web.yaml", line=7)


def change(
    op: Op, ref: ObjectRef = WEB, *diff: FieldDiff, app: str = "web", reason: str | None = None
) -> Change:
    return Change(op=op, app=app, ref=ref, diff=diff, reason=reason, origin=ORIGIN)


def failure(
    message: str, code: ExitCode, *, hint: str | None = None, cluster: str = "prod-1"
) -> ClusterFailure:
    problem = Problem(message=message, where=Where(cluster=cluster), hint=hint, code="FLT-3001")
    return ClusterFailure(problem=problem, exit_code=code)


def cluster(name: str, *changes: Change, failed: ClusterFailure | None = None) -> ClusterPlan:
    status = ClusterStatus.CHANGED if any(c.op.writes for c in changes) else ClusterStatus.UNCHANGED
    if failed is not None:
        unreachable = failed.exit_code is ExitCode.PARTIAL
        status = ClusterStatus.UNREACHABLE if unreachable else ClusterStatus.ERROR
    return ClusterPlan(
        cluster=name, environment=name.rpartition("-")[0], status=status, changes=changes, failure=failed
    )


def plan_of(*clusters: ClusterPlan, partial: bool = False) -> Plan:
    return build("shop", "3f2a1c9d0b7e4455", clusters, partial=partial)


def example() -> Plan:
    """Two reachable clusters that share an update, one that cannot be reached."""
    return plan_of(
        cluster(
            "dev-1",
            change(Op.UPDATE, WEB, IMAGE),
            change(Op.CREATE, SERVICE),
            change(Op.CONFLICT, SETTINGS, reason="belongs to fleet other"),
        ),
        cluster(
            "staging-1",
            change(Op.UPDATE, WEB, IMAGE),
            change(Op.CREATE, SERVICE),
            change(Op.KEEP, SETTINGS),
            change(Op.UPDATE, SECRET, FieldDiff(path="/data/password", old=CANARY, new=CANARY + "2")),
        ),
        cluster(
            "prod-1",
            failed=failure("no answer from https://10.0.0.1:6443", ExitCode.PARTIAL, hint="is the VPN up?"),
        ),
    )
