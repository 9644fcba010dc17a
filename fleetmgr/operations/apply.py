"""``fleet apply``: perform a Plan that this walk has just made, environment after environment."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.errors import ExitCode, Problem, Terminated
from fleetmgr.model.change import ClusterPlan, Plan
from fleetmgr.model.event import ClusterFinished, ClusterStarted, EventSink
from fleetmgr.model.report import ClusterReport, Outcome, Report, Stopped
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.up import up
from fleetmgr.operations.guards import refuse_unsafe
from fleetmgr.operations.walk import Walk

FAILED_BEFORE = "FLT-5035"
SIGNALLED = "FLT-2040"


def apply(
    walk: Walk, plan: Plan, selection: Selection, sink: EventSink, *, wait: bool, timeout: float | None
) -> Report:
    """Perform ``plan`` on every cluster that could be looked at; ``timeout`` (seconds) overrides the apps' own.

    Environments in the order of fleet.yaml, all clusters of one at a time: when one fails, its neighbours are
    finished and the next environment is not begun. Clusters that the plan could not look at are left out and stop
    nobody. A signal finishes what is being written; the report says how far it came. ``plan`` must come from this
    very walk: what was read for it is what the writes are fenced to. Raises PlanRefused before anything is written.
    """
    refuse_unsafe(plan)
    del selection  # the plan holds exactly what was selected
    options = UpOptions(
        plan_id=plan.id,
        revision=plan.revision,
        actor=walk.actor,
        wait=wait,
        timeout=timeout,
        lock=walk.lock,
    )
    reports: dict[str, ClusterReport] = {}

    def one(part: ClusterPlan) -> None:
        reports[part.cluster] = _apply_cluster(walk, part, options, sink)

    stopped: Stopped | None = None
    try:
        for environment in walk.loaded.fleet.environments:
            parts = [part for part in plan.clusters if part.environment == environment.name]
            across(one, parts, parallel=walk.parallel, stop=walk.stop)
            stopped = _after(environment.name, [reports[p.cluster] for p in parts if p.failure is None])
            if stopped is not None:
                break
    except (KeyboardInterrupt, Terminated) as signal:
        stopped = _signalled(signal)
    return Report(
        plan_id=plan.id,
        fleet=plan.fleet,
        revision=plan.revision,
        clusters=tuple(reports.get(part.cluster) or _untouched(part, stopped) for part in plan.clusters),
        partial=plan.partial,
        stopped=stopped,
    )


def _after(environment: str, reports: Sequence[ClusterReport]) -> Stopped | None:
    """Whether what happened in an environment keeps the next one from being begun."""
    failed = [report.cluster for report in reports if report.exit_code is not ExitCode.OK]
    if not failed:
        return None
    problem = Problem(
        message=f"stopped after environment {environment}: {', '.join(failed)} failed",
        hint="mend it and apply again: what is done is not done again",
        code=FAILED_BEFORE,
    )
    return Stopped(problem=problem, exit_code=ExitCode.PARTIAL)


def _signalled(signal: BaseException) -> Stopped:
    interrupted = isinstance(signal, KeyboardInterrupt)
    problem = Problem(
        message=f"{'interrupted' if interrupted else 'terminated'}: what was being written was finished, nothing "
        "else was begun",
        hint="apply again: it goes on from here",
        code=SIGNALLED,
    )
    return Stopped(problem=problem, exit_code=ExitCode.INTERRUPTED if interrupted else ExitCode.TERMINATED)


def _untouched(part: ClusterPlan, stopped: Stopped | None) -> ClusterReport:
    """A cluster whose turn never came: as desired already, not to be looked at, or not begun."""
    waiting = part.failure is None and any(change.op.writes for change in part.changes)
    code = part.failure.exit_code if part.failure is not None else ExitCode.OK
    if waiting and stopped is not None:
        code = stopped.exit_code
    return ClusterReport(
        cluster=part.cluster,
        environment=part.environment,
        exit_code=code,
        failure=part.failure,
        begun=not waiting,
    )


def _apply_cluster(walk: Walk, part: ClusterPlan, options: UpOptions, sink: EventSink) -> ClusterReport:
    if part.failure is not None:
        return _untouched(part, None)
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
