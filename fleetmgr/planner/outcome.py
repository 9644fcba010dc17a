"""The exit code of a run: which cause wins when there are several (docs/reference/exit-codes.md).

signals > 70 > 64 > 8 > 6 > 5 > 7 wherever they arise, then per cluster: all failed alike = that code
(3, 9, 1), mixed or only some = 4, then 2 for changes where asked, then 0. Unreachable is 4, also when all
clusters are: a plan that saw nothing is partial, never "no changes".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec.structs import replace

from fleetmgr.errors import ExitCode, Problem, Where
from fleetmgr.model.change import Change, ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.report import (
    CheckResult,
    ClusterReport,
    Diagnosis,
    FleetStatus,
    ObjectResult,
    Outcome,
    Report,
)
from fleetmgr.model.verdict import Verdict
from fleetmgr.planner.confirmation import waiting

OVERRIDING = (
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.REFUSED,
    ExitCode.APPROVAL,
)
"""Codes that win over everything after them and over what other clusters did."""

BLOCKED_CODE = "FLT-5020"
WAITING_CODE = "FLT-5005"
_BLOCKED = frozenset({Op.CONFLICT, Op.DENIED})
_WORDS = {
    ExitCode.TERMINATED: "terminated",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.BUG: "hit a bug of fleet",
    ExitCode.USAGE: "used wrongly",
    ExitCode.LOCKED: "locked by another run",
    ExitCode.STALE: "changed since the plan",
    ExitCode.REFUSED: "refused",
    ExitCode.APPROVAL: "waiting for approval",
    ExitCode.AUTH: "without access",
    ExitCode.TIMEOUT: "timed out",
    ExitCode.PARTIAL: "unreachable",
    ExitCode.FAILED: "failed",
    ExitCode.OK: "done",
}


def settle(clusters: Mapping[str, ExitCode], *, changes: bool = False) -> Verdict:
    """The verdict over each cluster's own code; ``changes``: whether code 2 is wanted and due."""
    codes = list(clusters.values())
    failed = [code for code in codes if code is not ExitCode.OK]
    if not failed:
        code = ExitCode.CHANGES if changes else ExitCode.OK
        return Verdict(exit_code=code, reason="changes" if changes else "ok", clusters=clusters)
    return Verdict(exit_code=_combined(codes, failed), reason=_reason(codes), clusters=clusters)


def plan_verdict(plan: Plan, *, detailed: bool = False) -> Verdict:
    """How a plan, diff or drift ends. ``detailed``: changes are worth code 2.

    A cluster with objects in conflict or denied by the server has failed: its apply could not be complete.
    """
    clusters = {cluster.cluster: _plan_code(cluster) for cluster in plan.clusters}
    verdict = settle(clusters, changes=detailed and has_writes(plan))
    if verdict.exit_code is ExitCode.OK:
        return replace(verdict, reason="changes" if has_writes(plan) else "no changes")
    return verdict


def has_writes(plan: Plan) -> bool:
    """Whether an apply of ``plan`` would send anything."""
    return any(change.op.writes for cluster in plan.clusters for change in cluster.changes)


def report_verdict(report: Report) -> Verdict:
    """How an apply ends; ``report`` covers every cluster of the plan (see ``complete``).

    What stopped a run counts beside the clusters that had their turn; those that had none failed in no way of
    their own.
    """
    clusters = {cluster.cluster: cluster.exit_code for cluster in report.clusters}
    if report.stopped is None:
        return settle(clusters)
    begun = [cluster.exit_code for cluster in report.clusters if cluster.begun]
    failed = [code for code in begun if code is not ExitCode.OK]
    stopped = report.stopped.exit_code
    left = len(clusters) - len(begun)
    return Verdict(
        exit_code=_combined(begun, [*failed, stopped] if stopped in OVERRIDING or not failed else failed),
        reason=_reason(begun, left=left) if failed or left else _WORDS.get(stopped, "stopped"),
        clusters=clusters,
    )


def complete(report: Report, plan: Plan) -> Report:
    """``report`` with what only the plan knows: clusters that were never applied to, objects that are in
    conflict or denied, which make their cluster fail, and deletes that wait for a confirmation. Order as in
    the plan."""
    applied = {cluster.cluster: cluster for cluster in report.clusters}
    return replace(report, clusters=tuple(_with_plan(applied.get(c.cluster), c) for c in plan.clusters))


def status_verdict(status: FleetStatus) -> Verdict:
    """How ``fleet status`` ends: seeing is what it is about, so ill apps are no failure of it."""
    return settle(
        {c.cluster: c.failure.exit_code if c.failure else ExitCode.OK for c in status.clusters},
    )


def diagnosis_verdict(diagnosis: Diagnosis) -> Verdict:
    """How ``fleet doctor`` ends: the first failed check of a cluster is the cluster's code."""
    machine = ExitCode.OK
    clusters: dict[str, ExitCode] = {}
    for check in diagnosis.checks:
        code = ExitCode.OK
        if check.result is CheckResult.FAILED:
            code = ExitCode.FAILED if check.exit_code is ExitCode.OK else check.exit_code
        if check.cluster is None:
            machine = machine or code
        else:
            clusters[check.cluster] = clusters.get(check.cluster, ExitCode.OK) or code
    verdict = settle(clusters)
    if machine is ExitCode.OK or (verdict.exit_code is not ExitCode.OK and machine not in OVERRIDING):
        return verdict
    code = _combined([machine, verdict.exit_code], [machine, verdict.exit_code])
    chosen = code if code in OVERRIDING else machine
    return Verdict(exit_code=chosen, reason="a check of this machine failed", clusters=clusters)


def _plan_code(cluster: ClusterPlan) -> ExitCode:
    if cluster.failure is not None:
        return cluster.failure.exit_code
    if cluster.status is ClusterStatus.UNREACHABLE:
        return ExitCode.PARTIAL
    if cluster.status is ClusterStatus.ERROR or any(c.op in _BLOCKED for c in cluster.changes):
        return ExitCode.FAILED
    return ExitCode.OK


def _with_plan(report: ClusterReport | None, plan: ClusterPlan) -> ClusterReport:
    code = _plan_code(plan)
    if report is None:
        report = ClusterReport(
            cluster=plan.cluster,
            environment=plan.environment,
            exit_code=code,
            failure=plan.failure,
            warnings=plan.warnings,
        )
    known = {result.ref for result in report.results}
    blocked = [c for c in plan.changes if c.op in _BLOCKED and c.ref not in known]
    unconfirmed = waiting(plan)
    results = [_blocked_result(change, plan.cluster) for change in blocked]
    results += [_waiting_result(change, plan.cluster) for change in unconfirmed]
    return replace(
        report,
        exit_code=report.exit_code or code or (ExitCode.APPROVAL if unconfirmed else ExitCode.OK),
        failure=report.failure or plan.failure,
        results=(*report.results, *results),
    )


def _waiting_result(change: Change, cluster: str) -> ObjectResult:
    problem = Problem(
        message="not deleted: it needs a confirmation (prune: confirm)",
        where=Where(cluster=cluster, object=change.ref.short),
        hint="add --confirm-deletes, or apply on a terminal and answer",
        code=WAITING_CODE,
    )
    return ObjectResult(
        op=change.op, app=change.app, ref=change.ref, outcome=Outcome.WAITING, problem=problem
    )


def _blocked_result(change: Change, cluster: str) -> ObjectResult:
    reason = change.reason or (
        "it exists and is not ours" if change.op is Op.CONFLICT else "the server refuses it"
    )
    where = (
        change.origin.where(obj=change.ref.short, cluster=cluster)
        if change.origin
        else Where(cluster=cluster)
    )
    problem = Problem(message=f"{change.op.value}: {reason}", where=where, code=BLOCKED_CODE)
    return ObjectResult(
        op=change.op, app=change.app, ref=change.ref, outcome=Outcome.SKIPPED, problem=problem
    )


def _combined(codes: list[ExitCode], failed: list[ExitCode]) -> ExitCode:
    for code in OVERRIDING:
        if code in failed:
            return code
    alike = len(failed) == len(codes) and len(set(failed)) == 1
    return failed[0] if alike else ExitCode.PARTIAL


def _reason(codes: list[ExitCode], *, left: int = 0) -> str:
    """``1 of 3 clusters unreachable``; several causes in the order of the codes; ``left`` were not begun."""
    counts = Counter(code for code in codes if code is not ExitCode.OK)
    parts = [f"{number} {_WORDS.get(code, 'failed')}" for code, number in sorted(counts.items())]
    number = len(codes) + left
    total = f"{number} cluster{'' if number == 1 else 's'}"
    first, *more = [*parts, *([f"{left} not begun"] if left else [])]
    return ", ".join([first.replace(" ", f" of {total} ", 1), *more])
