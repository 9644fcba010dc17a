"""Plan and fleet -> steps, and what would stop them."""

from __future__ import annotations

from datetime import UTC, datetime

from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import Change, ClusterFailure, ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.rollout import (
    AppWindows,
    EnvironmentRollout,
    FleetRollout,
    ObstacleKind,
    OnFailure,
    RolloutPlan,
    Step,
    Wave,
    Window,
    WindowKind,
)
from fleetmgr.rollout.outlook import outlook
from fleetmgr.rollout.steps import rollout_plan
from tests.rollout.rollouts import MONDAY, steps

REF = ObjectRef(group="", version="v1", kind="ConfigMap", namespace="web", name="web")


def part(name: str, environment: str, *ops: Op, app: str = "web") -> ClusterPlan:
    changes = tuple(Change(op=op, app=app, ref=REF) for op in ops)
    status = ClusterStatus.CHANGED if any(op is not Op.KEEP for op in ops) else ClusterStatus.UNCHANGED
    return ClusterPlan(cluster=name, environment=environment, status=status, changes=changes)


def lost(name: str, environment: str, status: ClusterStatus) -> ClusterPlan:
    failure = ClusterFailure(problem=Problem(message="no"), exit_code=ExitCode.PARTIAL)
    return ClusterPlan(cluster=name, environment=environment, status=status, failure=failure)


def plan(*parts: ClusterPlan) -> Plan:
    return Plan(id="id", fleet="shop", revision="r", clusters=parts)


def environment(name: str, *waves: tuple[str, ...], declared: bool = True) -> EnvironmentRollout:
    found = tuple(Wave(name=str(n) if declared else "", clusters=w) for n, w in enumerate(waves))
    return EnvironmentRollout(environment=name, waves=found, declared=declared)


def test_environments_in_order_waves_inside_and_each_cluster_where_it_belongs():
    fleet = FleetRollout(
        environments=(
            environment("dev", ("d1",), declared=False),
            environment("stage", ("s1",), declared=False),
            environment("prod", ("p1", "p2"), (), ("p3", "p4", "p5"), ("p6",)),
        )
    )
    found = rollout_plan(
        plan(
            part("p1", "prod", Op.UPDATE),
            part("p2", "prod", Op.KEEP),
            lost("p3", "prod", ClusterStatus.UNREACHABLE),
            lost("p4", "prod", ClusterStatus.ERROR),
            part("p5", "prod", Op.CONFLICT),
            part("d1", "dev", Op.CREATE, Op.CONFLICT),
        ),
        fleet,
    )
    assert [(s.name, s.clusters, s.unchanged, s.unreachable, s.failed) for s in found.steps] == [
        ("dev", ("d1",), (), (), ()),
        ("prod / 0", ("p1",), ("p2",), (), ()),
        ("prod / 1", (), (), (), ()),
        ("prod / 2", (), (), ("p3",), ("p4", "p5")),
        ("prod / 3", (), (), (), ()),
    ]
    assert found.totals == {"dev": 1, "stage": 1, "prod": 6}
    assert (found.plan_id, found.revision) == ("id", "r")


def test_windows_of_an_app_bind_where_the_plan_changes_it():
    window = Window(kind=WindowKind.DENY, schedule="0 0 * * *", duration=60, owner="app web")
    own = Window(
        kind=WindowKind.DENY, schedule="0 0 * * *", duration=60, owner="cluster p9", clusters=("p9",)
    )
    rollout = environment("prod", ("p1", "p2"), declared=False)
    fleet = FleetRollout(
        environments=(EnvironmentRollout(environment="prod", waves=rollout.waves, windows=(own,)),),
        apps=(AppWindows(app="web", windows=(window,)),),
    )
    (step,) = rollout_plan(
        plan(part("p1", "prod", Op.UPDATE), part("p2", "prod", Op.UPDATE, app="other")), fleet
    ).steps
    assert [(w.owner, w.clusters) for w in step.windows] == [("app web", ("p1",))]


def test_small_fleets_stay_quiet():
    def one(*parts: ClusterPlan) -> RolloutPlan:
        rollouts = (environment("dev", ("d1",), declared=False), environment("prod", ("p1",), declared=False))
        return rollout_plan(plan(*parts), FleetRollout(environments=rollouts))

    assert not one(part("d1", "dev", Op.UPDATE)).guarded
    assert not one(part("d1", "dev", Op.UPDATE), part("p1", "prod", Op.KEEP)).guarded
    assert one(part("d1", "dev", Op.UPDATE), part("p1", "prod", Op.UPDATE)).guarded


def kinds(plan: RolloutPlan, at: datetime = MONDAY) -> list[tuple[ObstacleKind, str, tuple[str, ...]]]:
    return [(o.kind, o.why, o.clusters) for o in outlook(plan, at).obstacles]


LATER = Step(environment="prod", wave="rest", clusters=("z",), declared=True)


def test_a_closed_window_is_told_once_with_its_clusters_and_its_end():
    window = Window(kind=WindowKind.DENY, schedule="0 12 * * *", duration=3600, owner="environment prod")
    step = Step(environment="prod", wave="all", clusters=("a", "b"), windows=(window,), declared=True)
    (found,) = outlook(steps(step), MONDAY).obstacles
    assert (found.kind, found.clusters) == (ObstacleKind.WINDOW, ("a", "b"))
    assert found.opens == datetime(2026, 11, 23, 13, tzinfo=UTC)
    assert not outlook(steps(step), MONDAY.replace(hour=14)).obstacles


def test_a_used_up_budget_is_told():
    step = Step(environment="prod", wave="all", clusters=("a",), unreachable=("x",), max_unavailable=1)
    why = "x is not available, maxUnavailable is 1"
    assert kinds(steps(step)) == [(ObstacleKind.UNAVAILABLE, why, ("x",))]


def test_a_wave_that_cannot_be_reached_is_told():
    canary = Step(environment="prod", wave="canary", unreachable=("x",), declared=True)
    why = "no cluster of prod / canary can be reached, so it proves nothing"
    assert kinds(steps(canary, LATER)) == [(ObstacleKind.UNPROVEN, why, ("x",))]
    assert kinds(steps(LATER, canary)) == []


def test_clusters_that_could_not_be_planned_are_told():
    wave = Step(environment="prod", wave="1", clusters=("a",), failed=("x",), max_failures=0)
    assert kinds(steps(wave)) == [
        (ObstacleKind.FAILED, "x could not be planned, so nothing of it is begun", ("x",))
    ]
    open_ended = Step(environment="prod", wave="1", failed=("x",))
    assert kinds(steps(open_ended, LATER)) == [
        (ObstacleKind.FAILED, "x could not be planned, so nothing after it is begun", ("x",))
    ]
    tolerant = Step(environment="prod", wave="1", failed=("x",), on_failure=OnFailure.CONTINUE)
    assert kinds(steps(tolerant, LATER)) == []
