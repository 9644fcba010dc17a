"""The fake keeps the promises that the engine's tests rest on."""

from __future__ import annotations

import threading

import pytest

from fleetmgr.model.lease import Holder
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.operations.embedded.fenced import FencedClient
from fleetmgr.operations.embedded.lease import LockRequest, acquire
from fleetmgr.ports.cluster import ClusterClient
from fleetmgr.wiring.machine import LinuxProcesses
from tests.contracts.cluster_client_suite import ClusterClientContract
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster


class TestFakeCluster(ClusterClientContract):
    """The suite on the fake."""

    @pytest.fixture
    def client(self) -> ClusterClient:
        return FakeCluster()

    @pytest.fixture
    def namespace(self, client: FakeCluster) -> str:
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "contract"}})
        return "contract"


class TestFencedClient(ClusterClientContract):
    """The suite on the cluster as a run sees it that holds the lease."""

    @pytest.fixture
    def client(self) -> ClusterClient:
        cluster = FakeCluster()
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "contract"}})
        processes = LinuxProcesses()
        request = LockRequest(holder=Holder(actor="tester"), processes=processes)
        tenure = acquire(
            cluster,
            Entry(fleet="shop", cluster="fake-1", environment="dev"),
            request,
            plan_id="p",
            floor=0,
            clock=FakeClock(),
            stop=threading.Event(),
            sink=lambda _: None,
        )
        return FencedClient(cluster, tenure, {})

    @pytest.fixture
    def namespace(self, client: ClusterClient) -> str:
        del client
        return "contract"
