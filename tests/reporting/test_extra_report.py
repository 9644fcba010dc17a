"""Live fields that are not in Git, in every form."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.change import ExtraField, Op, Plan
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.github_results import plan_workflow
from fleetmgr.reporting.markdown_plan import plan_markdown
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_text import plan_text
from tests.reporting.fleets import CANARY, SECRET, WEB, change, cluster, plan_of
from tests.reporting.schemas import problems_of

AT = "2026-11-20T10:00:00Z"


def plan() -> Plan:
    edited = ExtraField(path="/spec/paused", value=True, manager="kubectl-edit", since=AT)
    nobodys = ExtraField(path="/spec/injected", value="x")
    hidden = ExtraField(path="/data/key", value=CANARY, manager="kubectl-edit")
    known = replace(change(Op.KEEP, WEB), extra=(edited, nobodys))
    return plan_of(cluster("dev-1", known, replace(change(Op.KEEP, SECRET), extra=(hidden,))))


def test_it_is_told_below_its_object() -> None:
    made = plan()
    groups = same_changes(made)
    for text in (plan_text(made, groups), plan_markdown(made, groups), str(plan_workflow(made, groups))):
        assert f"spec.paused is live and not in Git: true (kubectl-edit since {AT})" in text
        assert "spec.injected is live and not in Git: x (nobody applied it: a default" in text
        assert "data.key is live and not in Git: (sensitive) (kubectl-edit)" in text
        assert "Extra: 3 live fields not in Git." in text
        assert CANARY not in text


def test_as_data() -> None:
    made = plan()
    data = plan_data(made, plan_verdict(made, detailed=True))
    assert data["exitCode"] == 0
    extra = {f["path"]: f for one in data["clusters"][0]["changes"] for f in one["extra"]}
    assert extra["/spec/paused"] == {
        "path": "/spec/paused",
        "value": True,
        "manager": "kubectl-edit",
        "since": AT,
    }
    assert extra["/data/key"] == {"path": "/data/key", "sensitive": True, "manager": "kubectl-edit"}
    assert problems_of(data) == []
    assert CANARY not in str(data)
