"""A cluster that stopped answering is left alone, and asked again after a while."""

from __future__ import annotations

import pytest

from fleetmgr.adapters.kube.breaker import FIRST_PAUSE, LONGEST_PAUSE, TRIPS, Breaker
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.adapters.kube.retrying import Failure, Fault
from fleetmgr.ports.cluster_errors import ApiRejected, Unreachable
from tests.adapters.kube.api_server import Reply, Script, failure
from tests.fakes.clock import FakeClock
from tests.fakes.kinds import built_in

CONFIG_MAPS = built_in("ConfigMap")
DOWN = Failure(fault=Fault.REFUSED, message="10.0.0.1: connection refused", hint="is it running?")


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.refusal() is None
        breaker.note(DOWN)


def test_it_opens_after_some_failures_in_a_row(clock: FakeClock) -> None:
    breaker = Breaker(clock)
    fail(breaker, TRIPS)
    refusal = breaker.refusal()
    assert refusal is not None
    assert refusal.fault is Fault.OPEN
    assert "connection refused; 6 requests in a row had no answer" in refusal.message
    assert refusal.hint == "is it running?"


def test_an_answer_in_between_counts_anew(clock: FakeClock) -> None:
    breaker = Breaker(clock)
    fail(breaker, TRIPS - 1)
    breaker.note(None)
    fail(breaker, TRIPS - 1)
    assert breaker.refusal() is None


def test_one_probe_passes_after_a_pause(clock: FakeClock) -> None:
    breaker = Breaker(clock)
    fail(breaker, TRIPS)
    clock.sleep(FIRST_PAUSE)
    assert breaker.refusal() is None
    assert breaker.refusal() is not None
    breaker.note(None)
    assert breaker.refusal() is None


def test_the_pause_grows_but_not_for_ever(clock: FakeClock) -> None:
    breaker = Breaker(clock)
    fail(breaker, TRIPS)
    pauses: list[float] = []
    for _ in range(6):
        began = clock.monotonic()
        while breaker.refusal() is not None:
            clock.sleep(1)
        pauses.append(clock.monotonic() - began)
        breaker.note(DOWN)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE, LONGEST_PAUSE)


def test_a_probe_that_never_comes_back_blocks_nobody_for_ever(clock: FakeClock) -> None:
    breaker = Breaker(clock)
    fail(breaker, TRIPS)
    clock.sleep(FIRST_PAUSE)
    assert breaker.refusal() is None
    clock.sleep(61)
    assert breaker.refusal() is None


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.TOO_LARGE])
def test_what_says_nothing_about_the_cluster_does_not_count(clock: FakeClock, fault: Fault) -> None:
    breaker = Breaker(clock)
    for _ in range(2 * TRIPS):
        breaker.note(Failure(fault=fault, message="x"))
    assert breaker.refusal() is None


def test_requests_after_that_are_not_sent(client: KubeClient, server: Script, clock: FakeClock) -> None:
    server.route = lambda _: Reply(body={}, fault="reset")
    for _ in range(3):
        with pytest.raises(Unreachable):
            client.get(CONFIG_MAPS, namespace="ns", name="a")
    sent = len(server.seen)
    assert sent == TRIPS
    for _ in range(20):
        with pytest.raises(Unreachable, match="requests in a row had no answer"):
            client.list(CONFIG_MAPS)
    with pytest.raises(Unreachable, match="in a row"):
        next(iter(client.watch(CONFIG_MAPS, timeout=5)))
    assert len(server.seen) == sent
    clock.sleep(FIRST_PAUSE)
    server.route = lambda _: Reply(body={"kind": "ConfigMap"})
    assert client.get(CONFIG_MAPS, namespace="ns", name="a") == {"kind": "ConfigMap"}


def test_refusals_are_answers(client: KubeClient, server: Script) -> None:
    server.route = lambda _: failure(403, "Forbidden", "no")
    for _ in range(2 * TRIPS):
        with pytest.raises(ApiRejected):
            client.get(CONFIG_MAPS, namespace="ns", name="a")
    assert len(server.seen) == 2 * TRIPS
