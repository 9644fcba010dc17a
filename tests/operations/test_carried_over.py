"""What was Degraded before an apply goes on saying so until its controller has looked at what was written."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.errors import ExitCode
from fleetmgr.model.health import HealthStatus
from tests.operations.worlds import App, SettlingClock, World, deployment

_STUCK = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


class BusyController(SettlingClock):
    """Sees a new generation at once and its pods ``late`` seconds afterwards, as the Deployment controller does."""

    late = 0.0
    conditions: tuple[dict[str, Any], ...] = (_STUCK,)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        live = self.cluster.body("Deployment", "shop", "web")
        if live is None or self.monotonic() >= self.late:
            self.works = True
            return
        status = {"observedGeneration": live["metadata"]["generation"], "conditions": [*self.conditions]}
        self.cluster.edit("Deployment", "shop", "web", {"status": status})


@pytest.fixture
def world() -> World:
    """web:1 is stuck."""
    made = World()
    made.apps["web"] = App(manifests=[deployment(image="web:1")])
    made.apply()
    made.cluster.edit("Deployment", "shop", "web", {"status": {"conditions": [_STUCK]}})
    return made


def mended_after(world: World, seconds: float) -> BusyController:
    """web:2 is in Git, and its controller takes so long."""
    clock = BusyController(world.cluster, works=False)
    clock.late = seconds
    world.clock = clock
    world.apps["web"] = App(manifests=[deployment(image="web:2")])
    return clock


def test_what_was_degraded_before_is_given_time_to_react(world: World) -> None:
    mended_after(world, 8)
    report = world.apply()
    assert report.exit_code is ExitCode.OK
    assert [health.status for health in report.health] == [HealthStatus.HEALTHY]


def test_what_stays_degraded_is_a_failure_soon(world: World) -> None:
    clock = mended_after(world, 40)
    assert world.apply().exit_code is ExitCode.FAILED
    assert 10 <= clock.monotonic() < 13


def test_what_is_degraded_for_another_reason_is_a_failure_at_once(world: World) -> None:
    clock = mended_after(world, 40)
    clock.conditions = ({**_STUCK, "message": 'ReplicaSet "web-2" has timed out progressing.'},)
    assert world.apply().exit_code is ExitCode.FAILED
    assert clock.monotonic() < 3


def test_what_was_well_and_becomes_degraded_is_a_failure_at_once(world: World) -> None:
    world.cluster.settle()
    clock = mended_after(world, 40)
    assert world.apply().exit_code is ExitCode.FAILED
    assert clock.monotonic() < 3
