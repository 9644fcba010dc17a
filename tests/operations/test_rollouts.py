"""Rollouts in waves over clusters in memory: gates, budgets, soak, rollback, and what the clusters remember."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fleetmgr.errors import ExitCode
from fleetmgr.model.event import ClusterFinished, Event, RolloutStopped, Soaking, WaveStarted
from fleetmgr.model.pace import Pace
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.model.selection import Selection
from fleetmgr.operations.history import history
from fleetmgr.operations.rollouts.memory import Shelf
from fleetmgr.operations.rollouts.remembered import OtherRevision, RolloutPaused
from fleetmgr.planner.outcome import report_verdict, settle
from fleetmgr.planner.past import past_runs
from fleetmgr.reporting.history import history_data, history_text
from fleetmgr.rollout.record import RolloutRecord
from fleetmgr.rollout.state import Request
from tests.operations.fleet_in_memory import FleetInMemory, begun, codes
from tests.reporting.schemas import problems_of

PROD = [f"prod-{n}" for n in range(1, 7)]
ROLLOUT: dict[str, Any] = {
    "waves": [{"name": "canary", "select": "tier=canary"}, {"name": "rest"}],
    "maxFailures": 0,
    "soak": "10m",
}


class Inline(Executor):
    """Does at once what a run does beside its work: real threads would be slower than a clock that jumps."""

    def __init__(self, **_: Any) -> None:
        super().__init__()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@pytest.fixture(autouse=True)
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetmgr.operations.apply.ThreadPoolExecutor", Inline)


def fleet_of(root: Path, **rollout: Any) -> FleetInMemory:
    """dev-1, then prod: a canary and the rest."""
    fleet = FleetInMemory(root, {"dev": ["dev-1"], "prod": PROD})
    fleet.labels = {"prod-1": {"tier": "canary"}}
    fleet.environment_more = {"prod": {"rollout": {**ROLLOUT, **rollout}}}
    return fleet


@pytest.fixture
def fleet(tmp_path: Path) -> FleetInMemory:
    """Revision ``one`` is everywhere, ``two`` is to be rolled out."""
    made = fleet_of(tmp_path)
    made.commit("one")
    assert report_verdict(made.apply()).exit_code is ExitCode.OK
    made.image("web:2")
    made.commit("two")
    made.events.clear()
    return made


def record_on(fleet: FleetInMemory, cluster: str = "prod-1") -> RolloutRecord:
    """The newest rollout that a cluster remembers."""
    return shelf(fleet, cluster).all()[0]


def shelf(fleet: FleetInMemory, cluster: str) -> Shelf:
    return Shelf(lambda: fleet.clusters[cluster], fleet="shop", cluster=cluster)


def ask(fleet: FleetInMemory, kind: str, *clusters: str) -> None:
    """Somebody asks for something, on some clusters only."""
    for cluster in clusters or ("prod-1",):
        record = record_on(fleet, cluster)
        request = Request(kind=kind, who="ada", why="lunch", at=fleet.clock.now())
        shelf(fleet, cluster).write(replace(record, requests=(*record.requests, request)))


def when(fleet: FleetInMemory, match: Callable[[Event], bool], act: Callable[[], None]) -> None:
    """Do something once, when an event comes."""
    left = [act]

    def see(event: Event) -> None:
        if left and match(event):
            left.pop()()

    fleet.sink = see


def finished(cluster: str) -> Callable[[Event], bool]:
    return lambda e: isinstance(e, ClusterFinished) and e.cluster == cluster


def test_environments_waves_and_soak_in_order(fleet: FleetInMemory) -> None:
    before = fleet.clock.monotonic()
    report = fleet.apply()
    assert report_verdict(report).exit_code is ExitCode.OK
    steps = [e for e in fleet.events if isinstance(e, (WaveStarted, Soaking))]
    assert [(type(e).__name__, e.environment, e.wave) for e in steps] == [
        ("WaveStarted", "dev", ""),
        ("WaveStarted", "prod", "canary"),
        ("Soaking", "prod", "canary"),
        ("WaveStarted", "prod", "rest"),
        ("Soaking", "prod", "rest"),
    ]
    assert fleet.clock.monotonic() - before >= 1200
    order = fleet.started()
    assert order[:2] == ["dev-1", "prod-1"]
    assert sorted(order[2:]) == PROD[1:]
    assert report.rollout is not None
    assert report.rollout.status is RolloutStatus.DONE
    assert record_on(fleet, "prod-6").status is RolloutStatus.DONE


def test_a_failing_canary_leaves_the_rest_untouched(fleet: FleetInMemory) -> None:
    fleet.clock.broken = {"prod-1"}
    fleet.written()
    report = fleet.apply()
    assert codes(report) == {"dev-1": 0, "prod-1": 9, **dict.fromkeys(PROD[1:], 4)}
    assert begun(report) == ["dev-1", "prod-1"]
    assert not any(fleet.written()[name] for name in PROD[1:])
    assert report_verdict(report).exit_code is ExitCode.PARTIAL
    (told,) = [e for e in fleet.events if isinstance(e, RolloutStopped)]
    assert (told.status, told.why) == ("failed", "1 cluster failed in prod (prod-1), 0 are tolerated")


def test_applying_again_is_no_way_around_a_canary_that_is_not_healthy(fleet: FleetInMemory) -> None:
    fleet.clock.broken = {"prod-1"}
    fleet.apply()
    fleet.events.clear()
    fleet.written()
    report = fleet.apply()
    assert fleet.started("verify") == ["prod-1"]
    assert begun(report) == ["dev-1", "prod-1"]
    assert not any(fleet.written()[name] for name in PROD[1:])
    fleet.clock.broken = set()
    report = fleet.apply()
    assert report_verdict(report).exit_code is ExitCode.OK
    assert set(fleet.images().values()) == {"web:2"}


def test_a_canary_that_falls_ill_in_its_soak_stops_the_rollout(fleet: FleetInMemory) -> None:
    def break_it() -> None:
        fleet.clock.broken = {"prod-1"}
        status = {
            "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
        }
        fleet.clusters["prod-1"].edit("Deployment", "shop", "web", {"status": status})

    when(fleet, lambda e: isinstance(e, Soaking), break_it)
    report = fleet.apply()
    assert codes(report)["prod-1"] == 1
    assert begun(report) == ["dev-1", "prod-1"]
    failure = next(c.failure for c in report.clusters if c.cluster == "prod-1")
    assert failure is not None
    assert failure.problem.message.startswith("was healthy, and then not: web is Degraded")


def test_tolerated_failures_do_not_stop(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, maxFailures=1)
    fleet.clock.broken = {"prod-1"}
    report = fleet.apply()
    assert codes(report) == {"dev-1": 0, "prod-1": 9, **dict.fromkeys(PROD[1:], 0)}
    assert report.stopped is None


def test_a_dead_cluster_uses_up_what_may_be_unavailable(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, maxUnavailable=1)
    fleet.commit("one")
    fleet.apply()
    fleet.image("web:2")
    fleet.commit("two")
    fleet.dead = {"prod-6"}
    report = fleet.apply()
    assert report.stopped is not None
    assert report_verdict(report).exit_code is ExitCode.REFUSED
    assert "maxUnavailable is 1" in report.stopped.problem.message
    assert begun(report) == ["dev-1", "prod-6"]


def test_a_closed_window_ends_with_5_and_an_override_goes_through(fleet: FleetInMemory) -> None:
    window = {"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", "timezone": "UTC"}
    fleet.environment_more["prod"]["windows"] = [window]
    report = fleet.apply()
    assert report_verdict(report).exit_code is ExitCode.REFUSED
    assert begun(report) == ["dev-1"]
    fleet.pace = Pace(override_windows="security fix")
    assert report_verdict(fleet.apply()).exit_code is ExitCode.OK


def test_a_run_can_wait_for_a_window(fleet: FleetInMemory) -> None:
    window = {"kind": "deny", "schedule": "0 0 * * *", "duration": "5h", "timezone": "UTC"}
    fleet.environment_more["prod"]["windows"] = [window]
    fleet.pace = Pace(wait_for_windows=True)
    assert report_verdict(fleet.apply()).exit_code is ExitCode.OK
    assert fleet.clock.monotonic() > 5 * 3600


def test_a_pause_is_seen_and_holds_until_somebody_resumes(fleet: FleetInMemory) -> None:
    when(fleet, lambda e: isinstance(e, Soaking), lambda: ask(fleet, "Pause"))
    report = fleet.apply()
    assert report_verdict(report).exit_code is ExitCode.APPROVAL
    assert begun(report) == ["dev-1", "prod-1"]
    assert report.rollout is not None
    assert record_on(fleet).status is RolloutStatus.PAUSED
    with pytest.raises(RolloutPaused, match="was paused by ada: lunch"):
        fleet.apply()
    fleet.pace = Pace(resume=report.rollout.id)
    again = fleet.apply()
    assert report_verdict(again).exit_code is ExitCode.OK
    assert again.rollout is not None
    assert again.rollout.id == report.rollout.id
    assert set(fleet.images().values()) == {"web:2"}


def test_a_resume_at_another_revision_is_stale(fleet: FleetInMemory) -> None:
    when(fleet, lambda e: isinstance(e, Soaking), lambda: ask(fleet, "Pause"))
    report = fleet.apply()
    fleet.image("web:3")
    fleet.commit("three")
    assert report.rollout is not None
    fleet.pace = Pace(resume=report.rollout.id)
    with pytest.raises(OtherRevision, match="is of revision two, these files are three"):
        fleet.apply()


def test_the_newest_commit_takes_over_a_paused_rollout(fleet: FleetInMemory) -> None:
    when(fleet, lambda e: isinstance(e, Soaking), lambda: ask(fleet, "Pause"))
    paused = fleet.apply()
    fleet.image("web:3")
    fleet.commit("three")
    assert report_verdict(fleet.apply()).exit_code is ExitCode.OK
    assert set(fleet.images().values()) == {"web:3"}
    assert paused.rollout is not None
    old = shelf(fleet, "prod-1").read(paused.rollout.id)
    assert old is not None
    assert old.status is RolloutStatus.SUPERSEDED


def test_an_abort_ends_it(fleet: FleetInMemory) -> None:
    when(fleet, lambda e: isinstance(e, Soaking), lambda: ask(fleet, "Abort", "prod-1", "dev-1"))
    report = fleet.apply()
    assert report_verdict(report).exit_code is ExitCode.REFUSED
    assert begun(report) == ["dev-1", "prod-1"]
    assert record_on(fleet).status is RolloutStatus.ABORTED


def test_a_soak_goes_on_where_an_interrupted_run_left_it(fleet: FleetInMemory) -> None:
    def interrupt() -> None:
        ends = fleet.clock.monotonic() + 400
        sleep = fleet.clock.sleep

        def until(seconds: float) -> None:
            sleep(seconds)
            if fleet.clock.monotonic() >= ends:
                fleet.clock.sleep = sleep
                raise KeyboardInterrupt

        fleet.clock.sleep = until

    when(fleet, lambda e: isinstance(e, Soaking), interrupt)
    first = fleet.apply()
    assert report_verdict(first).exit_code is ExitCode.INTERRUPTED
    assert record_on(fleet).status is RolloutStatus.INTERRUPTED
    fleet.events.clear()
    fleet.sink = None
    second = fleet.apply()
    assert report_verdict(second).exit_code is ExitCode.OK
    canary = next(e for e in fleet.events if isinstance(e, Soaking))
    assert canary.wave == "canary"
    assert 100 < canary.seconds <= 200
    assert first.rollout is not None
    assert second.rollout is not None
    assert first.rollout.id == second.rollout.id


def test_a_failed_wave_goes_back_to_its_previous_revision(fleet: FleetInMemory) -> None:
    fleet.environment_more["prod"]["rollout"]["onFailure"] = "rollback"
    fleet.environment_more["prod"]["rollout"]["waves"] = [{"name": "first", "count": 2}, {"name": "rest"}]
    fleet.history.now = "two"
    when(fleet, finished("prod-1"), lambda: None)
    fleet.clock.broken = {"prod-1"}
    report = fleet.apply()
    back = {c.cluster: c.rolled_back for c in report.clusters if c.rolled_back is not None}
    assert back == {"prod-1": "", "prod-2": "one"}  # prod-1 does not become healthy with the old one either
    images = fleet.images()
    assert (images["prod-1"], images["prod-2"], images["prod-3"]) == ("web:1", "web:1", "web:1")
    assert codes(report)["prod-1"] == 9
    assert report_verdict(report).exit_code is ExitCode.PARTIAL


@pytest.fixture
def pinned(tmp_path: Path) -> FleetInMemory:
    """The overlay of prod pins the source at ``first``, and that is everywhere; now it pins ``second``."""
    made = fleet_of(tmp_path, onFailure="rollback")
    made.commit("first")
    made.image("web:2")
    made.commit("second")
    pin(made, "first")
    made.commit("one")
    assert report_verdict(made.apply()).exit_code is ExitCode.OK
    pin(made, "second")
    made.commit("two")
    made.clock.broken = {"prod-1"}
    return made


def pin(fleet: FleetInMemory, revision: str) -> None:
    overlay = fleet.root / "environments" / "prod" / "web.yaml"
    overlay.parent.mkdir(parents=True, exist_ok=True)
    overlay.write_text(f"revision: {revision}\n", encoding="utf-8")


def test_a_pinned_app_goes_back_to_the_pin_of_the_fleet_as_it_was(pinned: FleetInMemory) -> None:
    report = pinned.apply(clusters=("prod-1", "prod-2"))
    assert codes(report)["prod-1"] == 9
    assert pinned.images()["prod-1"] == "web:1"
    found = history(pinned.walk(), "web@prod-1", Selection())
    assert "second (fleet two)" in history_text(found, past_runs(found))
    data = history_data(found, past_runs(found), settle({}))
    assert not problems_of(data)
    assert '"fleetRevision": "two"' in json.dumps(data)
    runs = [(run.outcome, run.revision, run.fleet_revision) for run in found.clusters[0].apps[0].runs]
    assert runs == [("unhealthy", "first", "one"), ("unhealthy", "second", "two"), ("done", "first", "one")]
    pinned.clock.broken = set()
    assert report_verdict(pinned.apply()).exit_code is ExitCode.OK
    assert pinned.images()["prod-1"] == "web:2"


def test_an_early_record_of_a_pinned_app_is_no_way_back(pinned: FleetInMemory) -> None:
    cluster = pinned.clusters["prod-1"]
    live = cluster.body("ConfigMap", "fleetmgr-system", "shop.prod-1.web")
    assert live is not None
    early = live["data"]["record.json"].replace('"fleetRevision":"one"', '"fleetRevision":""')
    cluster.edit("ConfigMap", "fleetmgr-system", "shop.prod-1.web", {"data": {"record.json": early}})
    report = pinned.apply(clusters=("prod-1",))
    failure = next(c.failure for c in report.clusters if c.cluster == "prod-1")
    assert failure is not None
    assert "app web is at a revision of its own" in failure.problem.message
    assert pinned.images()["prod-1"] == "web:2"


def test_without_an_earlier_revision_there_is_no_way_back(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, onFailure="rollback")
    fleet.commit("one")
    fleet.clock.broken = {"prod-1"}
    report = fleet.apply()
    failure = next(c.failure for c in report.clusters if c.cluster == "prod-1")
    assert failure is not None
    assert "the cluster remembers no earlier revision" in failure.problem.message
    assert record_on(fleet).status is RolloutStatus.ROLLBACK_FAILED


def test_only_the_last_ten_rollouts_are_kept(fleet: FleetInMemory) -> None:
    fleet.environment_more["prod"]["rollout"]["soak"] = "1s"
    for number in range(12):
        fleet.image(f"web:v{number}")
        fleet.commit(f"v{number}")
        fleet.clock.sleep(60)
        fleet.apply()
    assert len(shelf(fleet, "prod-1").all()) == 10


def test_one_environment_without_a_rollout_costs_nothing_extra(tmp_path: Path) -> None:
    fleet = FleetInMemory(tmp_path, {"dev": ["dev-1", "dev-2"]})
    fleet.commit("one")
    report = fleet.apply()
    assert report.rollout is None
    assert not any(isinstance(e, (WaveStarted, Soaking, RolloutStopped)) for e in fleet.events)
    assert shelf(fleet, "dev-1").all() == []
