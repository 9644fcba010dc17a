"""An adoption as text, data and diff: what changes, whose it was, what happens to the maker."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.change import Adoption, FieldDiff, Op
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.drift_text import drift_text
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_text import plan_text
from tests.reporting.fleets import IMAGE, WEB, change, cluster, plan_of
from tests.reporting.schemas import problems_of

REASON = "made by Helm release shop in namespace web; the fields of helm become this fleet's"
LABEL = FieldDiff(path="/metadata/labels/old", old="x")
ADOPTED = replace(
    change(Op.ADOPT, WEB, LABEL, reason=REASON), adoption=Adoption(managers=("helm",), kept="nothing")
)


def test_the_text_names_the_maker_and_counts_adoptions() -> None:
    plan = plan_of(cluster("dev-1", ADOPTED), cluster("dev-2", ADOPTED))
    text = plan_text(plan, same_changes(plan))
    assert "2 changed (2 adopt)" in text
    assert "    & adopt Deployment shop-web/web (same on 2 clusters: dev-1, dev-2)" in text
    assert f"          {REASON}\n          - metadata.labels.old: x" in text


def test_the_data_says_whose_fields_are_taken_over() -> None:
    plan = plan_of(cluster("dev-1", ADOPTED))
    data = plan_data(plan, plan_verdict(plan))
    assert problems_of(data) == []
    assert data["summary"]["adopt"] == 1
    assert data["clusters"][0]["changes"][0]["takesOver"] == ["helm"]


def test_drift_tells_who_is_flapping() -> None:
    flapping = replace(
        change(Op.UPDATE, WEB, IMAGE, reason="flapping: argocd-controller keeps writing this"),
        drift=True,
        writer="argocd-controller at 2026-11-21T01:00:00Z",
    )
    plan = plan_of(cluster("dev-1", flapping))
    text = drift_text(plan, same_changes(plan))
    assert (
        "(argocd-controller at 2026-11-21T01:00:00Z): flapping: argocd-controller keeps writing this" in text
    )
