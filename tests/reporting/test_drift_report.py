"""Drift: what an apply could not heal and what could not be asked about, since when, and by whom."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.change import ClusterStatus, FieldDiff, Op, Plan, Writer
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.drift_text import drift_text
from fleetmgr.reporting.github_results import drift_workflow
from fleetmgr.reporting.markdown_plan import drift_markdown
from fleetmgr.reporting.plan_data import plan_data
from tests.reporting.fleets import SERVICE, WEB, change, cluster, plan_of
from tests.reporting.schemas import problems_of

WRITER = Writer(manager="kubectl", through="scale", at="2026-11-20T10:00:00Z")
WHO = "kubectl through scale at 2026-11-20T10:00:00Z"


def blocked() -> Plan:
    """One drift that others hold, and one that the server refuses to heal, seen before."""
    taken = replace(
        change(Op.CONFLICT, WEB, FieldDiff(path="/spec/replicas", old=5, new=2)),
        drift=True,
        drift_by=WRITER,
        drift_since=WRITER.at,
        reason="kubectl holds /spec/replicas",
    )
    seen = replace(
        taken, ref=SERVICE, op=Op.DENIED, unverified=True, drift_since="2026-11-20T09:00:00Z", reason="frozen"
    )
    return plan_of(replace(cluster("dev-1", taken, seen), status=ClusterStatus.CHANGED))


def test_what_an_apply_cannot_heal_is_drift_with_author_and_beginning() -> None:
    plan = blocked()
    groups = same_changes(plan)
    text = drift_text(plan, groups)
    assert "1 drifted (2 objects)" in text
    conflict = f"[conflict]: spec.replicas 5 instead of 2 ({WHO}): kubectl holds /spec/replicas"
    denied = f"[denied] [unverified]: spec.replicas 5 instead of 2 ({WHO}, first seen 2026-11-20T09:00:00Z)"
    for shown in (text, drift_markdown(plan, groups), str(drift_workflow(plan, groups))):
        assert conflict in shown
        assert denied in shown
    assert "Unverified: 1 object: frozen" in text


def test_drift_by_somebody_as_data() -> None:
    plan = blocked()
    data = plan_data(plan, plan_verdict(plan, detailed=True), kind="Drift")
    assert data["exitCode"] == 1
    described = next(c for c in data["clusters"][0]["changes"] if c["op"] == "conflict")
    assert described["driftBy"] == {"manager": "kubectl", "through": "scale", "at": WRITER.at}
    assert described["driftSince"] == WRITER.at
    assert problems_of(data) == []


def test_what_could_not_be_asked_is_no_proof_of_no_drift() -> None:
    unsure = replace(change(Op.KEEP, WEB), drift=True, unverified=True, reason="patch is forbidden")
    plan = plan_of(cluster("dev-1", unsure))
    for text in (drift_text(plan, ()), drift_markdown(plan, ())):
        assert "No drift found; what is unverified may differ." in text
        assert "patch is forbidden" in text
    assert plan_verdict(plan, detailed=True).exit_code == 0
