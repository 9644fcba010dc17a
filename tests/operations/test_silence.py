"""A control plane that restarts while apps are waited for."""

from __future__ import annotations

from fleetmgr.errors import ExitCode
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ClusterError, Unreachable
from tests.operations.worlds import App, SettlingClock, World, deployment


def silent(world: World, *, first: float, seconds: float) -> None:
    """Lists are not answered for some seconds once somebody waits."""

    def fault(verb: str, resource: ApiResource | None) -> ClusterError | None:
        now = world.clock.monotonic()
        quiet = verb == "list" and resource is not None and resource.kind == "Deployment"
        return (
            Unreachable("down", cluster="dev-1") if quiet and first <= now < first + seconds and now else None
        )

    world.cluster.fault = fault


def test_a_short_silence_is_waited_out() -> None:
    world = World()
    world.apps["web"] = App(manifests=[deployment()])
    assert isinstance(world.clock, SettlingClock)
    world.clock.works = False
    silent(world, first=0.1, seconds=20)
    real = world.clock.sleep

    def sleep(seconds: float) -> None:
        real(seconds)
        if world.clock.monotonic() > 15:
            world.cluster.settle()

    world.clock.sleep = sleep
    assert world.apply().exit_code is ExitCode.OK


def test_a_long_silence_is_unreachable() -> None:
    world = World()
    world.apps["web"] = App(manifests=[deployment()])
    assert isinstance(world.clock, SettlingClock)
    world.clock.works = False
    silent(world, first=0.1, seconds=10_000)
    report = world.apply(timeout=3600)
    assert report.exit_code is ExitCode.PARTIAL
    assert 60 <= world.clock.monotonic() < 90
