"""A watch rings for every change; a kind that cannot be watched is looked at every time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator

import pytest

from fleetmgr.operations.embedded.doorbell import Doorbell
from fleetmgr.ports.cluster import ApiResource, WatchEvent, WatchStream
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.kinds import built_in

POD = WatchEvent(type="ADDED", body={"kind": "Pod"})


class Told(FakeCluster):
    """Its watches last until the test ends them, and yield what the test tells."""

    def __init__(self) -> None:
        super().__init__()
        self.told: queue.Queue[WatchEvent | None] = queue.Queue()
        self.asked = threading.Event()
        self.heard = threading.Semaphore(0)

    def watch(
        self, resource: ApiResource, *, namespace: str = "", selector: str = "", timeout: float
    ) -> WatchStream:
        assert (resource.kind, namespace, selector, timeout > 0) == ("Pod", "", "fleet=x", True)

        def events() -> Generator[WatchEvent]:
            while (event := self.told.get(timeout=20)) is not None:
                yield event
                self.heard.release()

        return WatchStream(events(), cancel=lambda: self.told.put(None))


def bell_of(cluster: FakeCluster) -> Doorbell:
    bell = Doorbell(cluster, selector="fleet=x", clock=FakeClock())
    bell.listen([built_in("Pod")])
    return bell


def test_it_rings_once_for_what_was_told() -> None:
    cluster = Told()
    cluster.told.put(POD)
    bell = bell_of(cluster)
    assert bell.rang()
    assert not bell.rang()
    cluster.told.put(POD)
    assert cluster.heard.acquire(timeout=10)
    cluster.told.put(POD)  # the one before has rung once this is taken
    assert cluster.heard.acquire(timeout=10)
    assert bell.rang()
    before = threading.active_count()
    bell.close()
    assert threading.active_count() == before - 1  # cut off, not left to its last minute


@pytest.mark.parametrize("denied", [True, False])
def test_a_kind_that_cannot_be_watched_is_looked_at_every_time(*, denied: bool) -> None:
    cluster = FakeCluster()
    if denied:
        cluster.denied.add(("list", "pods"))
    bell = bell_of(cluster)  # the fake's watch ends at once
    assert bell.rang()
    assert bell.rang()


def test_nothing_to_watch_never_rings() -> None:
    assert not Doorbell(FakeCluster(), selector="", clock=FakeClock()).rang()
