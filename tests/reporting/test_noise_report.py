"""Noise and resets: counted, listed where asked, in every form."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.change import FieldDiff, Noise, Op, Plan
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.github_results import plan_workflow
from fleetmgr.reporting.markdown_plan import plan_markdown
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_text import plan_text
from tests.reporting.fleets import CANARY, SECRET, WEB, change, cluster, plan_of
from tests.reporting.schemas import problems_of


def noisy() -> Plan:
    injected = replace(change(Op.KEEP, WEB, FieldDiff(path="/spec/extra", new="x")), noise=Noise.ADMISSION)
    hidden = replace(
        change(Op.KEEP, SECRET, FieldDiff(path="/data/key", old=CANARY, new="x")), noise=Noise.REWRITTEN
    )
    return plan_of(cluster("dev-1", injected, hidden), cluster("dev-2", injected))


def test_noise_is_counted_and_not_listed() -> None:
    plan = noisy()
    groups = same_changes(plan)
    assert groups == ()
    for text in (plan_text(plan, groups), plan_markdown(plan, groups), str(plan_workflow(plan, groups))):
        assert "Noise: 3 objects differ only by defaulting or admission; --show-noise lists them." in text
        assert "spec.extra" not in text
    data = plan_data(plan, plan_verdict(plan, detailed=True))
    assert (data["summary"]["noise"], data["summary"]["update"], data["exitCode"]) == (3, 0, 0)
    assert not any(part["changes"] for part in data["clusters"])


def test_noise_is_listed_where_asked() -> None:
    plan = noisy()
    groups = same_changes(plan, noise=True)
    for text in (plan_text(plan, groups), plan_markdown(plan, groups), str(plan_workflow(plan, groups))):
        assert "[noise]: only what Git does not name would change" in text
        assert "+ spec.extra: x" in text
        assert "--show-noise" not in text
        assert CANARY not in text
    data = plan_data(plan, plan_verdict(plan), noise=True)
    assert data["clusters"][0]["changes"][0]["noise"] == "admission"
    assert problems_of(data) == []
    assert CANARY not in str(data)


def test_a_reset_shows_both_values() -> None:
    reset = FieldDiff(path="/spec/replicas", old=5, new=1, reset=True)
    plan = plan_of(cluster("dev-1", change(Op.UPDATE, WEB, reset)))
    groups = same_changes(plan)
    for text in (plan_text(plan, groups), plan_markdown(plan, groups), str(plan_workflow(plan, groups))):
        assert "~ spec.replicas: 5 -> 1 (reset to default)" in text
    data = plan_data(plan, plan_verdict(plan))
    assert data["clusters"][0]["changes"][0]["diff"] == [
        {"path": "/spec/replicas", "old": 5, "new": 1, "reset": True}
    ]
    assert problems_of(data) == []
