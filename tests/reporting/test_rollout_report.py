"""The rollout of a plan in every form; quiet where there is nothing to say."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Plan
from fleetmgr.model.rollout import Obstacle, ObstacleKind, OnFailure, RolloutPlan, Step, Window, WindowKind
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.github_results import plan_workflow
from fleetmgr.reporting.markdown_plan import plan_markdown
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_text import plan_text
from fleetmgr.reporting.rollout import rollout_lines
from tests.reporting.schemas import problems_of

WINDOW = Window(
    kind=WindowKind.DENY,
    schedule="0 18 * * 5",
    duration=223200,
    timezone="Asia/Seoul",
    description="weekend",
    owner="environment prod",
)
PROD = Step(
    environment="prod",
    wave="",
    soak=600,
    max_parallel=4,
    max_unavailable=0,
    max_failures=0,
    deadline=3600,
    on_failure=OnFailure.ROLLBACK,
    windows=(WINDOW,),
    declared=True,
)
ROLLOUT = RolloutPlan(
    plan_id="id",
    revision="r",
    totals={"dev": 1, "prod": 9},
    steps=(
        Step(environment="dev", wave="", clusters=("dev-1",)),
        replace(PROD, wave="canary", clusters=("p1",)),
        replace(
            PROD,
            wave="half",
            clusters=tuple(f"p{n}" for n in range(2, 8)),
            unchanged=("p8",),
            unreachable=("p9",),
        ),
        replace(PROD, wave="rest"),
    ),
    obstacles=(
        Obstacle(
            environment="prod",
            wave="canary",
            kind=ObstacleKind.WINDOW,
            why="environment prod denies changes from `0 18 * * 5` for 62h (Asia/Seoul): weekend",
            clusters=("p1",),
            opens=datetime(2026, 11, 23, 8, tzinfo=ZoneInfo("Asia/Seoul")),
        ),
        Obstacle(
            environment="prod",
            wave="half",
            kind=ObstacleKind.UNAVAILABLE,
            why="p9 is not available, maxUnavailable is 0",
            clusters=("p9",),
        ),
    ),
)
PLAN = Plan(id="id", fleet="shop", revision="r", clusters=(), rollout=ROLLOUT)
LINES = [
    "Rollout, one after the other:",
    "  1.  dev            1 cluster: dev-1",
    "  2.  prod / canary  1 cluster: p1",
    "  3.  prod / half    6 clusters: p2, p3, p4, p5 and 2 more; 1 unchanged; 1 unreachable",
    "  4.  prod / rest    no cluster of this plan",
    (
        "  prod: 4 at a time, at most 1 not healthy, healthy for 10m after each wave, at most 1h a wave,"
        " stops at the first failure, then the wave goes back"
    ),
    "Closed now (prod / canary): environment prod denies changes from `0 18 * * 5` for 62h (Asia/Seoul): weekend",
    "  opens Mon 2026-11-23 08:00 KST; holds up p1",
    "Stops (prod / half): p9 is not available, maxUnavailable is 0",
]


def test_the_waves_their_limits_and_what_would_stop_them():
    assert rollout_lines(PLAN) == LINES


def test_it_is_in_every_form():
    text = "\n".join(LINES)
    assert text in plan_text(PLAN, ())
    assert text in plan_markdown(PLAN, ())
    assert text in "\n".join(line for section in plan_workflow(PLAN, ()).sections for line in section.lines)


def test_json_has_everything_and_holds_its_schema():
    data = plan_data(PLAN, Verdict(exit_code=ExitCode.OK, reason="ok"))
    assert problems_of(data) == []
    rollout = data["rollout"]
    assert rollout["steps"][0] == {
        "environment": "dev",
        "wave": "",
        "clusters": ["dev-1"],
        "unchanged": [],
        "unreachable": [],
        "failed": [],
        "soakSeconds": 0.0,
        "onFailure": "pause",
        "windows": [],
    }
    half = rollout["steps"][2]
    assert (half["maxParallel"], half["maxUnavailable"], half["maxFailures"]) == (4, 0, 0)
    assert (half["soakSeconds"], half["deadlineSeconds"], half["onFailure"]) == (600, 3600, "rollback")
    assert half["windows"][0]["description"] == "weekend"
    assert rollout["obstacles"][0]["opens"] == "2026-11-22T23:00:00Z"
    assert "opens" not in rollout["obstacles"][1]


@pytest.mark.parametrize("rollout", [None, replace(ROLLOUT, steps=ROLLOUT.steps[:1])])
def test_nothing_is_said_where_all_is_done_at_once(rollout: RolloutPlan | None):
    assert rollout_lines(replace(PLAN, rollout=rollout)) == []


def test_a_thousand_clusters_fill_no_page():
    waves = tuple(
        replace(PROD, wave=f"w{n}", clusters=tuple(f"cluster-{n}-{i}" for i in range(100))) for n in range(10)
    )
    obstacles = tuple(
        Obstacle(environment="prod", wave="w0", kind=ObstacleKind.WINDOW, why=f"cluster c{n} denies changes")
        for n in range(1000)
    )
    found = rollout_lines(replace(PLAN, rollout=replace(ROLLOUT, steps=waves, obstacles=obstacles)))
    assert len(found) == 1 + 10 + 1 + 20 + 1
    assert found[-1] == "And 990 more obstacles: all are in `-o json`."
    assert max(len(line) for line in found) < 200


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        (Step(environment="e", wave="1", declared=True), "stops after a wave with a failure, then it pauses"),
        (
            Step(environment="e", wave="1", declared=True, max_failures=2),
            "tolerates 2 failures, then it pauses",
        ),
        (
            Step(environment="e", wave="1", declared=True, on_failure=OnFailure.CONTINUE),
            "failed clusters are left behind",
        ),
    ],
)
def test_what_follows_a_failure_is_said(step: Step, rule: str):
    steps = (replace(step, clusters=("a",)),)
    assert f"  e: {rule}" in rollout_lines(replace(PLAN, rollout=replace(ROLLOUT, steps=steps)))
