"""The exit code contract, one row a code and a cause."""

from __future__ import annotations

import pytest

from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import Op
from fleetmgr.model.report import CheckResult, ClusterReport, Diagnosis, DoctorCheck, Outcome, Report, Stopped
from fleetmgr.planner.outcome import complete, diagnosis_verdict, plan_verdict, report_verdict, settle
from tests.reporting.fleets import SERVICE, change, cluster, failure, plan_of

E = ExitCode


@pytest.mark.parametrize(
    ("codes", "changes", "expected", "reason"),
    [
        ([E.OK, E.OK], False, E.OK, "ok"),
        ([], False, E.OK, "ok"),
        ([E.OK, E.OK], True, E.CHANGES, "changes"),
        ([E.FAILED, E.FAILED], True, E.FAILED, "2 of 2 clusters failed"),
        ([E.FAILED, E.OK], True, E.PARTIAL, "1 of 2 clusters failed"),
        ([E.AUTH], False, E.AUTH, "1 of 1 cluster without access"),
        ([E.AUTH, E.AUTH], False, E.AUTH, "2 of 2 clusters without access"),
        ([E.AUTH, E.OK], False, E.PARTIAL, "1 of 2 clusters without access"),
        ([E.AUTH, E.FAILED], False, E.PARTIAL, "1 of 2 clusters failed, 1 without access"),
        ([E.TIMEOUT, E.TIMEOUT], False, E.TIMEOUT, "2 of 2 clusters timed out"),
        ([E.TIMEOUT, E.OK, E.OK], True, E.PARTIAL, "1 of 3 clusters timed out"),
        ([E.PARTIAL, E.OK], True, E.PARTIAL, "1 of 2 clusters unreachable"),
        ([E.PARTIAL, E.PARTIAL], False, E.PARTIAL, "2 of 2 clusters unreachable"),
        ([E.REFUSED, E.OK, E.PARTIAL], True, E.REFUSED, "1 of 3 clusters unreachable, 1 refused"),
        ([E.APPROVAL, E.REFUSED], False, E.REFUSED, "1 of 2 clusters refused, 1 waiting for approval"),
        ([E.APPROVAL, E.FAILED], False, E.APPROVAL, "1 of 2 clusters failed, 1 waiting for approval"),
        ([E.STALE, E.REFUSED], False, E.STALE, "1 of 2 clusters refused, 1 changed since the plan"),
        (
            [E.LOCKED, E.STALE],
            False,
            E.LOCKED,
            "1 of 2 clusters changed since the plan, 1 locked by another run",
        ),
        ([E.USAGE, E.LOCKED], False, E.USAGE, "1 of 2 clusters locked by another run, 1 used wrongly"),
        ([E.BUG, E.USAGE], False, E.BUG, "1 of 2 clusters used wrongly, 1 hit a bug of fleet"),
        ([E.INTERRUPTED, E.BUG], False, E.INTERRUPTED, "1 of 2 clusters hit a bug of fleet, 1 interrupted"),
        ([E.TERMINATED, E.INTERRUPTED], False, E.TERMINATED, "1 of 2 clusters interrupted, 1 terminated"),
    ],
)
def test_the_worst_cause_wins(codes: list[ExitCode], changes: bool, expected: ExitCode, reason: str) -> None:
    verdict = settle({f"c{n}": code for n, code in enumerate(codes)}, changes=changes)
    assert (verdict.exit_code, verdict.reason) == (expected, reason)


def test_a_plan_without_changes_ends_with_0() -> None:
    verdict = plan_verdict(plan_of(cluster("dev-1", change(Op.KEEP))), detailed=True)
    assert (verdict.exit_code, verdict.reason) == (E.OK, "no changes")


def test_changes_are_worth_2_only_where_asked() -> None:
    plan = plan_of(cluster("dev-1", change(Op.CREATE)))
    assert plan_verdict(plan).exit_code is E.OK
    assert plan_verdict(plan).reason == "changes"
    assert plan_verdict(plan, detailed=True).exit_code is E.CHANGES


def test_orphaned_objects_are_no_changes() -> None:
    plan = plan_of(cluster("dev-1", change(Op.ORPHANED), change(Op.UNPROVEN, SERVICE)))
    assert plan_verdict(plan, detailed=True).exit_code is E.OK


@pytest.mark.parametrize("op", [Op.CONFLICT, Op.DENIED])
def test_an_object_that_cannot_be_applied_fails_its_cluster(op: Op) -> None:
    blocked = cluster("dev-1", change(op), change(Op.CREATE, SERVICE))
    assert plan_verdict(plan_of(blocked), detailed=True).exit_code is E.FAILED
    verdict = plan_verdict(plan_of(blocked, cluster("dev-2")), detailed=True)
    assert verdict.exit_code is E.PARTIAL
    assert verdict.clusters == {"dev-1": E.FAILED, "dev-2": E.OK}


def test_a_report_gets_the_clusters_and_objects_that_only_the_plan_knows() -> None:
    plan = plan_of(
        cluster("dev-1", change(Op.CONFLICT, reason="belongs to fleet other"), change(Op.CREATE, SERVICE)),
        cluster("prod-1", failed=failure("no answer", E.PARTIAL)),
    )
    done = ClusterReport(cluster="dev-1", environment="dev", exit_code=E.OK)
    report = complete(Report(plan_id=plan.id, fleet="shop", revision="", clusters=(done,)), plan)
    assert [(c.cluster, c.exit_code) for c in report.clusters] == [("dev-1", E.FAILED), ("prod-1", E.PARTIAL)]
    (blocked,) = report.clusters[0].results
    assert blocked.outcome is Outcome.SKIPPED
    assert blocked.problem is not None
    assert blocked.problem.message == "conflict: belongs to fleet other"
    assert report.clusters[1].failure == plan.clusters[1].failure


def _check(result: CheckResult, *, on: str | None = None, code: ExitCode = E.OK) -> DoctorCheck:
    return DoctorCheck(name="x", result=result, message="m", cluster=on, exit_code=code)


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([], E.OK),
        ([_check(CheckResult.OK), _check(CheckResult.WARNING, on="a", code=E.AUTH)], E.OK),
        ([_check(CheckResult.FAILED)], E.FAILED),
        (
            [_check(CheckResult.FAILED, code=E.USAGE), _check(CheckResult.FAILED, on="a", code=E.AUTH)],
            E.USAGE,
        ),
        ([_check(CheckResult.FAILED, on="a", code=E.AUTH)], E.AUTH),
        ([_check(CheckResult.FAILED, on="a", code=E.AUTH), _check(CheckResult.OK, on="b")], E.PARTIAL),
        ([_check(CheckResult.FAILED, on="a", code=E.REFUSED), _check(CheckResult.OK, on="b")], E.REFUSED),
        ([_check(CheckResult.FAILED, on="a", code=E.AUTH), _check(CheckResult.FAILED, on="a")], E.AUTH),
    ],
)
def test_doctor(checks: list[DoctorCheck], expected: ExitCode) -> None:
    assert diagnosis_verdict(Diagnosis(checks=tuple(checks))).exit_code is expected


@pytest.mark.parametrize(
    ("begun", "left", "stopped", "expected", "reason"),
    [
        ([E.FAILED], 2, E.PARTIAL, E.FAILED, "1 of 3 clusters failed, 2 not begun"),
        ([E.TIMEOUT, E.OK], 1, E.PARTIAL, E.PARTIAL, "1 of 3 clusters timed out, 1 not begun"),
        ([E.PARTIAL, E.OK], 2, E.PARTIAL, E.PARTIAL, "1 of 4 clusters unreachable, 2 not begun"),
        ([E.OK], 2, E.PARTIAL, E.PARTIAL, "2 of 3 clusters not begun"),
        ([E.OK], 2, E.REFUSED, E.REFUSED, "2 of 3 clusters not begun"),
        ([E.OK, E.FAILED], 1, E.REFUSED, E.REFUSED, "1 of 3 clusters failed, 1 not begun"),
        ([], 2, E.APPROVAL, E.APPROVAL, "2 of 2 clusters not begun"),
        ([E.LOCKED], 1, E.APPROVAL, E.LOCKED, "1 of 2 clusters locked by another run, 1 not begun"),
        ([E.OK], 0, E.INTERRUPTED, E.INTERRUPTED, "interrupted"),
        ([E.FAILED, E.OK], 3, E.TERMINATED, E.TERMINATED, "1 of 5 clusters failed, 3 not begun"),
    ],
)
def test_what_stopped_a_run_counts_beside_what_was_begun(
    begun: list[ExitCode], left: int, stopped: ExitCode, expected: ExitCode, reason: str
) -> None:
    codes = [*((code, True) for code in begun), *[(stopped, False)] * left]
    report = Report(
        plan_id="p",
        fleet="shop",
        revision="",
        clusters=tuple(
            ClusterReport(cluster=f"c{n}", environment="dev", exit_code=code, begun=tried)
            for n, (code, tried) in enumerate(codes)
        ),
        stopped=Stopped(problem=Problem(message="stopped"), exit_code=stopped),
    )
    verdict = report_verdict(report)
    assert (verdict.exit_code, verdict.reason) == (expected, reason)
