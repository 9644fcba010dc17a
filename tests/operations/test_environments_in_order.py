"""Environments are applied one after another: what fails keeps the next one from being begun."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import pytest

from fleetmgr.errors import ExitCode, Terminated
from fleetmgr.model.event import ClusterFinished, ClusterStarted
from fleetmgr.planner.outcome import report_verdict
from tests.operations.fleet_in_memory import FleetInMemory, begun, codes

LAYOUT = {"dev": ["dev-1", "dev-2"], "staging": ["staging-1"], "prod": ["prod-1", "prod-2"]}


@pytest.fixture
def fleet(tmp_path: Path) -> FleetInMemory:
    return FleetInMemory(tmp_path, LAYOUT)


def order(fleet: FleetInMemory) -> list[tuple[str, str]]:
    """What happened to clusters in an apply, in order."""
    return [
        (type(e).__name__.removeprefix("Cluster"), e.cluster)
        for e in fleet.events
        if isinstance(e, (ClusterStarted, ClusterFinished)) and e.phase == "apply"
    ]


def test_environments_go_one_after_another(fleet: FleetInMemory) -> None:
    report = fleet.apply()
    assert report.stopped is None
    assert report_verdict(report).exit_code is ExitCode.OK
    at = {pair: number for number, pair in enumerate(order(fleet))}
    for earlier, later in (("dev", "staging"), ("staging", "prod")):
        ends = [at["Finished", c] for c in LAYOUT[earlier]]
        assert max(ends) < min(at["Started", c] for c in LAYOUT[later])
    assert set(fleet.images().values()) == {"web:1"}


def test_a_failure_lets_its_neighbours_finish_and_stops_the_next_environment(fleet: FleetInMemory) -> None:
    fleet.image("web:1", broken=["dev-1"])
    report = fleet.apply()
    assert codes(report) == {"dev-1": 9, "dev-2": 0, "staging-1": 4, "prod-1": 4, "prod-2": 4}
    assert begun(report) == ["dev-1", "dev-2"]
    assert report.stopped is not None
    assert report.stopped.problem.message == "1 cluster failed in dev (dev-1); 3 clusters were not begun"
    verdict = report_verdict(report)
    assert (verdict.exit_code, verdict.reason) == (ExitCode.PARTIAL, "1 of 5 clusters timed out, 3 not begun")
    assert [name for name, wrote in fleet.written().items() if wrote] == ["dev-1", "dev-2"]


def test_when_all_that_was_begun_failed_alike_that_is_the_code(fleet: FleetInMemory) -> None:
    fleet.image("web:1", broken=["dev-1", "dev-2"])
    verdict = report_verdict(fleet.apply())
    assert (verdict.exit_code, verdict.reason) == (ExitCode.TIMEOUT, "2 of 5 clusters timed out, 3 not begun")


def test_what_is_as_desired_is_not_called_not_begun(fleet: FleetInMemory) -> None:
    fleet.apply(environments=("prod",))
    fleet.image("web:1", broken=["dev-1"])
    report = fleet.apply()
    assert codes(report) == {"dev-1": 9, "dev-2": 0, "staging-1": 4, "prod-1": 0, "prod-2": 0}
    assert begun(report) == ["dev-1", "dev-2", "prod-1", "prod-2"]


def test_a_dead_cluster_stops_nobody(fleet: FleetInMemory) -> None:
    fleet.dead = {"dev-1"}
    report = fleet.apply()
    assert codes(report) == {"dev-1": 4, "dev-2": 0, "staging-1": 0, "prod-1": 0, "prod-2": 0}
    assert report.stopped is None


def test_the_next_apply_goes_on_where_the_last_one_stopped(fleet: FleetInMemory) -> None:
    fleet.image("web:1", broken=["dev-1"])
    fleet.apply()
    fleet.written()
    fleet.image("web:1")
    for cluster in fleet.clusters.values():
        cluster.settle()
    report = fleet.apply()
    assert report_verdict(report).exit_code is ExitCode.OK
    wrote = fleet.written()
    assert [name for name in wrote if wrote[name]] == ["staging-1", "prod-1", "prod-2"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_what_is_written_and_reports_it(
    fleet: FleetInMemory, number: signal.Signals, code: int
) -> None:
    def stop(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    def staging(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "Deployment/web"):
            signal.raise_signal(number)

    before = signal.signal(number, stop)
    fleet.clusters["staging-1"].before = staging
    try:
        report = fleet.apply()
    finally:
        signal.signal(number, before)
        fleet.clusters["staging-1"].before = None
    assert int(report_verdict(report).exit_code) == code
    assert report.stopped is not None
    assert fleet.images()["staging-1"] == "web:1"
    assert codes(report)["prod-1"] == code
    assert not any(fleet.written()[name] for name in LAYOUT["prod"])
    fleet.apply()
    assert set(fleet.images().values()) == {"web:1"}
