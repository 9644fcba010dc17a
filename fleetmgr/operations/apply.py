"""``fleet apply``: perform a Plan that this walk has just made."""

from __future__ import annotations

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import ClusterPlan, Plan
from fleetmgr.model.event import ClusterFinished, ClusterStarted, EventSink
from fleetmgr.model.report import ClusterReport, Outcome, Report
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.up import up
from fleetmgr.operations.walk import Walk


def apply(
    walk: Walk, plan: Plan, selection: Selection, sink: EventSink, *, wait: bool, timeout: float | None
) -> Report:
    """Perform ``plan`` on every cluster that could be looked at; ``timeout`` (seconds) overrides the apps' own.

    ``plan`` must come from this very walk: what was read for it is what the writes are fenced to.
    """
    del selection  # the plan holds exactly what was selected
    options = UpOptions(plan_id=plan.id, revision=plan.revision, actor=walk.actor, wait=wait, timeout=timeout)

    def one(part: ClusterPlan) -> ClusterReport:
        return _apply_cluster(walk, part, options, sink)

    reports = across(one, plan.clusters, parallel=walk.parallel, stop=walk.stop)
    return Report(
        plan_id=plan.id,
        fleet=plan.fleet,
        revision=plan.revision,
        clusters=tuple(reports),
        partial=plan.partial,
    )


def _apply_cluster(walk: Walk, part: ClusterPlan, options: UpOptions, sink: EventSink) -> ClusterReport:
    if part.failure is not None:
        return ClusterReport(
            cluster=part.cluster,
            environment=part.environment,
            exit_code=part.failure.exit_code,
            failure=part.failure,
        )
    to_write = sum(change.op.writes for change in part.changes)
    sink(ClusterStarted(cluster=part.cluster, phase="apply", objects=to_write))
    report = up(walk.scenes[part.cluster], part, options, clock=walk.clock, stop=walk.stop, sink=sink)
    sink(
        ClusterFinished(
            cluster=part.cluster, phase="apply", exit_code=report.exit_code, summary=_summary(report)
        )
    )
    return report


def _summary(report: ClusterReport) -> str:
    if report.failure is not None:
        return report.failure.problem.message
    counts = [(o, sum(r.outcome is o for r in report.results)) for o in Outcome]
    text = ", ".join(f"{n} {o.value}" for o, n in counts if n) or "nothing to do"
    return text if report.exit_code is not ExitCode.TIMEOUT else f"{text}, not Healthy in time"
