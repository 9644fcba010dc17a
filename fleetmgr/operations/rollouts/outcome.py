"""How a run ended, as the report of an apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from fleetmgr.errors import ExitCode, Problem, Where
from fleetmgr.model.change import ClusterFailure, ClusterPlan, Plan
from fleetmgr.model.report import ClusterReport, Report, ReportRollout, Stopped
from fleetmgr.operations.rollouts.crew import ClusterCrew
from fleetmgr.operations.rollouts.returning import Return
from fleetmgr.operations.rollouts.run import Ended, status_of
from fleetmgr.rollout.decisions import Done, Stop, StopVerdict, Wait
from fleetmgr.rollout.state import Member, Phase

SIGNALLED = "FLT-2040"
FELL_ILL = "FLT-2041"
DEADLINE_PASSED = "FLT-2044"
NOT_BEGUN = "FLT-5035"
WINDOW_CLOSED = "FLT-5036"
PAUSED = "FLT-5037"
ENDED = "FLT-5038"
UNPROVEN = "FLT-5039"

_MEND = "mend it and apply again: what is done is not done again"
_CODES = {
    StopVerdict.PAUSED: PAUSED,
    StopVerdict.FAILED: NOT_BEGUN,
    StopVerdict.DEADLINE: DEADLINE_PASSED,
    StopVerdict.UNAVAILABLE: UNPROVEN,
    StopVerdict.UNPROVEN: UNPROVEN,
    StopVerdict.CLOSED: WINDOW_CLOSED,
    StopVerdict.ROLLED_BACK: NOT_BEGUN,
    StopVerdict.ROLLBACK_FAILED: NOT_BEGUN,
    StopVerdict.ABORTED: ENDED,
    StopVerdict.SUPERSEDED: ENDED,
}
_HINTS = {
    StopVerdict.FAILED: _MEND,
    StopVerdict.DEADLINE: _MEND,
    StopVerdict.UNAVAILABLE: "bring them back, or raise maxUnavailable, and apply again",
    StopVerdict.UNPROVEN: "bring one back and apply again",
    StopVerdict.CLOSED: "apply again when it is open, or with --wait-for-windows, or --override-windows REASON",
    StopVerdict.ROLLED_BACK: "mend what failed and apply again",
    StopVerdict.ROLLBACK_FAILED: "look at what keeps it from going back; revert the commit and apply",
    StopVerdict.ABORTED: "apply again to begin a new one",
    StopVerdict.SUPERSEDED: "the newer run goes on with its own revision",
}
_SAID_BY_CLUSTERS = frozenset({StopVerdict.FAILED, StopVerdict.UNPROVEN, StopVerdict.UNAVAILABLE})
"""Worth nothing of their own where no cluster was left out because of them."""


def ended_report(
    plan: Plan, ended: Ended, crew: ClusterCrew, kept: Sequence[ClusterReport], rollout: str
) -> Report:
    """The report of a run; ``kept`` are clusters that had nothing to be written; ``rollout`` "" was not remembered."""
    stopped = stopped_by(ended, rollout)
    reports = {**{report.cluster: report for report in kept}, **ended.reports}

    def of(part: ClusterPlan) -> ClusterReport:
        report = reports.get(part.cluster)
        if report is None:
            return _untouched(part, stopped)
        return _after(report, ended.state.members[part.cluster], crew.returns.get(part.cluster))

    return Report(
        plan_id=plan.id,
        fleet=plan.fleet,
        revision=plan.revision,
        clusters=tuple(of(part) for part in plan.clusters),
        partial=plan.partial,
        stopped=stopped,
        rollout=ReportRollout(id=rollout, status=status_of(ended.decision)) if rollout else None,
    )


def stopped_by(ended: Ended, rollout: str) -> Stopped | None:
    """Why it ended before every cluster had its turn."""
    match ended.decision:
        case None:
            return _signalled(ended.signal or ExitCode.INTERRUPTED)
        case Done():
            return None
        case Wait():
            opens = f"; it opens {ended.decision.opens:%Y-%m-%d %H:%M %Z}" if ended.decision.opens else ""
            problem = Problem(
                message=f"{ended.decision.why}{opens}", hint=_HINTS[StopVerdict.CLOSED], code=WINDOW_CLOSED
            )
            return Stopped(problem=problem, exit_code=ExitCode.REFUSED)
        case Stop():
            return _stopped(ended.decision, rollout)
        case _:
            assert_never(ended.decision)


def _stopped(stop: Stop, rollout: str) -> Stopped | None:
    if stop.verdict in _SAID_BY_CLUSTERS and not stop.left:
        return None
    hint = _HINTS.get(stop.verdict, "apply again to go on")
    if stop.verdict is StopVerdict.PAUSED:
        hint = (
            f"`fleet rollout resume {rollout}` goes on, `fleet rollout abort {rollout} --reason ...` ends it"
        )
    number = len(stop.left)
    not_begun = f"; {number} cluster{'s were' if number > 1 else ' was'} not begun" if number else ""
    return Stopped(
        problem=Problem(message=f"{stop.why}{not_begun}", hint=hint, code=_CODES[stop.verdict]),
        exit_code=stop.verdict.exit_code,
    )


def _signalled(code: ExitCode) -> Stopped:
    how = "interrupted" if code is ExitCode.INTERRUPTED else "terminated"
    problem = Problem(
        message=f"{how}: what was being written was finished, nothing else was begun",
        hint="the same command goes on from here",
        code=SIGNALLED,
    )
    return Stopped(problem=problem, exit_code=code)


def _untouched(part: ClusterPlan, stopped: Stopped | None) -> ClusterReport:
    """A cluster whose turn never came, or that could not be looked at."""
    code = ExitCode.PARTIAL if stopped is None else stopped.exit_code
    return ClusterReport(
        cluster=part.cluster,
        environment=part.environment,
        exit_code=code if part.failure is None else part.failure.exit_code,
        failure=part.failure,
        begun=part.failure is not None,
    )


def _after(report: ClusterReport, member: Member, went: Return | None) -> ClusterReport:
    """A report with what happened to its cluster after its own work: an illness in the soak, a way back."""
    if report.exit_code is ExitCode.OK and member.phase is Phase.FAILED:
        report = _failed(report, FELL_ILL, f"was healthy, and then not: {member.message}")
    if went is None:
        return report
    if went.report.failure is not None or went.report.exit_code is not ExitCode.OK:
        why = went.report.failure.problem.message if went.report.failure else "see its results"
        failed = _failed(report, "FLT-2042", f"could not be rolled back: {why}")
        return replace(failed, rolled_back="")
    if report.exit_code is ExitCode.OK:
        report = _failed(report, FELL_ILL, "was done; another cluster of its wave failed")
    return replace(report, rolled_back=went.name)


def _failed(report: ClusterReport, code: str, message: str) -> ClusterReport:
    """``report`` as a failure; one that it had already comes first."""
    if report.failure is not None:
        message = f"{report.failure.problem.message}; {message}"
    exit_code = ExitCode.FAILED if report.exit_code is ExitCode.OK else report.exit_code
    problem = Problem(message=message, where=Where(cluster=report.cluster), code=code)
    return replace(report, exit_code=exit_code, failure=ClusterFailure(problem=problem, exit_code=exit_code))
