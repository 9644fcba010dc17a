"""The fake keeps the promises that the engine's tests rest on."""

from __future__ import annotations

import pytest

from fleetmgr.ports.cluster import ClusterClient
from tests.contracts.cluster_client_suite import ClusterClientContract
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
