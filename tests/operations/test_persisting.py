"""What an apply tries again, how often, and what it never does."""

from __future__ import annotations

from itertools import pairwise

import pytest

from fleetmgr.errors import ExitCode
from fleetmgr.model.policy import Retry
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import (
    AccessDenied,
    ApiRejected,
    ClusterError,
    ObjectInvalid,
    Unreachable,
)
from tests.operations.worlds import App, World, config, outcomes


def answered() -> Unreachable:
    """etcd has no leader."""
    error = Unreachable("etcdserver: leader changed", cluster="dev-1")
    error.answered = True
    return error


def rejected(kind: type[ApiRejected], reason: str) -> ApiRejected:
    return kind("no", cluster="dev-1", reason=reason)


MOMENTARY = [
    rejected(ApiRejected, "WebhookFailed"),
    rejected(ApiRejected, "NamespaceTerminating"),
    answered(),
]
FINAL = [
    rejected(ObjectInvalid, "Invalid"),
    rejected(ApiRejected, "Forbidden"),
    AccessDenied("no", cluster="dev-1"),
    Unreachable("no connection", cluster="dev-1"),
]


def world_of(retry: Retry) -> World:
    world = World()
    world.apps["web"] = App(manifests=[config("a")], policy_more={"retry": retry})
    return world


def refusing(world: World, error: ClusterError, times: int) -> list[float]:
    """Refuse the object so often; returns when it was tried."""
    tried: list[float] = []

    def before(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "ConfigMap/a"):
            tried.append(world.clock.monotonic())
            if len(tried) <= times:
                raise error

    world.cluster.before = before
    return tried


@pytest.mark.parametrize("error", MOMENTARY, ids=["webhook", "terminating", "etcd"])
def test_a_momentary_refusal_is_tried_again(error: ClusterError) -> None:
    world = world_of(Retry(limit=3, backoff=2, factor=2, max_backoff=30))
    tried = refusing(world, error, 3)
    assert outcomes(world.apply())["ConfigMap/a"] == "done"
    assert [b - a for a, b in pairwise(tried)] == [2, 4, 8]


@pytest.mark.parametrize("error", FINAL, ids=["invalid", "forbidden", "rbac", "silence"])
def test_what_will_never_succeed_is_tried_once(error: ClusterError) -> None:
    world = world_of(Retry(limit=3))
    tried = refusing(world, error, 1)
    assert world.apply().exit_code is not ExitCode.OK
    assert len(tried) == 1


def test_the_limit_and_the_longest_pause_hold() -> None:
    world = world_of(Retry(limit=4, backoff=5, factor=3, max_backoff=20))
    tried = refusing(world, MOMENTARY[0], 100)
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert [b - a for a, b in pairwise(tried)] == [5, 15, 20, 20]


def test_a_limit_of_none_tries_once() -> None:
    world = world_of(Retry(limit=0))
    tried = refusing(world, MOMENTARY[0], 100)
    world.apply()
    assert len(tried) == 1


def test_a_stop_ends_the_pauses() -> None:
    world = world_of(Retry(limit=50, backoff=600, max_backoff=600))
    refusing(world, MOMENTARY[0], 100)
    real = world.clock.sleep

    def sleep(seconds: float) -> None:
        real(seconds)
        world.stop.set()

    world.clock.sleep = sleep
    assert world.apply().exit_code is not ExitCode.OK
    assert world.clock.monotonic() < 5


def test_a_delete_is_tried_again_as_well() -> None:
    world = world_of(Retry())
    world.apps["web"] = App(manifests=[config("a"), config("b")], policy_more={"retry": Retry()})
    world.apply()
    world.apps["web"] = App(manifests=[config("a")], policy_more={"retry": Retry()})
    failed: list[str] = []

    def before(verb: str, name: str) -> None:
        if verb == "delete" and not failed:
            failed.append(name)
            raise rejected(ApiRejected, "WebhookFailed")

    world.cluster.before = before
    assert outcomes(world.apply()) == {"ConfigMap/b": "done"}
    assert failed == ["ConfigMap/b"]


def test_the_pauses_never_overflow() -> None:
    assert Retry(factor=100.0).pause(10_000) == 30.0


def test_a_resource_of_no_app_is_tried_by_the_default() -> None:
    world = World()
    world.apps["web"] = App(manifests=[config("a")])
    errors = [MOMENTARY[1]]

    def fault(verb: str, resource: ApiResource | None) -> ClusterError | None:
        bare = verb == "patch" and resource is not None and resource.kind == "Namespace"
        return errors.pop() if bare and errors else None

    world.apply()
    world.cluster.remove("Namespace", "", "shop")
    world.cluster.fault = fault
    assert outcomes(world.apply())["Namespace/shop"] == "done"
