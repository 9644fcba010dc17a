"""The same promises on a real control plane, and what only a real one can show."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fleetmgr.adapters.kube.access import AccessSettings
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.adapters.kube.connector import KubeConnector
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.cluster import AccessQuery
from fleetmgr.ports.cluster_errors import AccessDenied, AuthFailed, ObjectGone, ObjectInvalid
from tests.contracts.cluster_client_suite import OURS, ClusterClientContract, config_map, deployment
from tests.e2e.conftest import SandboxClusters

pytestmark = pytest.mark.e2e


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - a test of the real thing

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: TID251 - a test of the real thing


@pytest.fixture(scope="module")
def connector(sandbox_clusters: SandboxClusters) -> Iterator[KubeConnector]:
    """``admin`` and ``reader`` of the first cluster, ``typo`` of a context that is not there."""
    file, context = str(sandbox_clusters.kubeconfig), sandbox_clusters.contexts[0]
    entries = {
        "admin": AccessSettings(kubeconfig=file, context=context),
        "reader": AccessSettings(kubeconfig=file, context=f"{context}-reader"),
        "typo": AccessSettings(kubeconfig=file, context=f"{context}x"),
    }
    opened = KubeConnector(entries, environment=os.environ, clock=SystemClock())  # noqa: TID251 - as wiring does
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(connector: KubeConnector) -> KubeClient:
    return connector.connect("admin")


@pytest.fixture
def namespace(client: KubeClient) -> Iterator[str]:
    namespaces = client.discover().find("", "v1", "Namespace")
    assert namespaces is not None
    name = f"contract-{uuid.uuid4().hex[:10]}"
    body: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    uid = client.apply(namespaces, body, manager=OURS, force=False, dry_run=False).body["metadata"]["uid"]
    yield name
    client.delete(namespaces, namespace="", name=name, uid=uid)


class TestKubeClient(ClusterClientContract):
    """The suite on a kube-apiserver."""

    def test_pages_make_one_list(self, client: KubeClient, namespace: str) -> None:
        resource = self.resource(client, config_map(namespace))
        for number in range(7):
            self.apply(client, config_map(namespace, f"item-{number}", a="1"))
        paged = KubeClient(client._transport, clock=SystemClock(), page_size=3)  # pyright: ignore[reportPrivateUsage] - the same pool, smaller pages
        names = [
            item["metadata"]["name"] for item in paged.list(resource, namespace=namespace, selector="suite")
        ]
        assert names == [f"item-{number}" for number in range(7)]

    def test_a_reader_may_read_and_is_told_what_it_may_not(
        self, client: KubeClient, connector: KubeConnector, namespace: str
    ) -> None:
        reader = connector.connect("reader")
        body = config_map(namespace, a="1")
        self.apply(client, body)
        assert self.live(reader, body)["data"] == {"a": "1"}
        with pytest.raises(AccessDenied) as caught:
            self.apply(reader, config_map(namespace, a="2"), dry_run=True)
        assert f"cannot patch configmaps {namespace}/settings on reader" in caught.value.message
        assert not reader.allowed(
            AccessQuery(verb="patch", group="", resource="configmaps", namespace=namespace)
        )

    def test_unknown_fields_are_invalid_and_named(self, client: KubeClient, namespace: str) -> None:
        body = deployment(namespace, {}, replica=3)
        with pytest.raises(ObjectInvalid) as caught:
            self.apply(client, body, dry_run=True)
        assert ".spec.replica" in caught.value.message

    def test_a_secret_is_refused_without_its_values(self, client: KubeClient, namespace: str) -> None:
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": namespace},
            "stringData": {"not a key": "canary-4711"},
        }
        for data in ({"stringData": {"not a key": "canary-4711"}}, {"data": {"k": {"canary-4711": 1}}}):
            with pytest.raises(ObjectInvalid) as caught:
                self.apply(client, {**body, "stringData": {}, **data}, dry_run=True)
            assert "canary-4711" not in str(caught.value)

    def test_deprecated_versions_warn(self, client: KubeClient, namespace: str) -> None:
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": "old", "namespace": namespace},
        }
        assert any("deprecated" in text for text in self.apply(client, body, dry_run=True).warnings)

    def test_a_watch_sees_changes_and_closes_when_dropped(self, client: KubeClient, namespace: str) -> None:
        body = config_map(namespace, a="1")
        self.apply(client, body)
        resource = self.resource(client, body)
        events = client.watch(resource, namespace=namespace, selector="suite=contract", timeout=20.0)
        seen = [next(events).type]
        uid = self.apply(client, config_map(namespace, a="2")).body["metadata"]["uid"]
        client.delete(resource, namespace=namespace, name="settings", uid=uid)
        seen += [next(events).type, next(events).type]
        assert seen == ["ADDED", "MODIFIED", "DELETED"]
        del events

    def test_a_missing_namespace_is_named(self, client: KubeClient) -> None:
        with pytest.raises(ObjectGone) as caught:
            self.apply(client, config_map("contract-nowhere", a="1"))
        assert "namespace contract-nowhere does not exist" in str(caught.value)

    def test_a_context_that_is_not_there_is_an_access_error(self, connector: KubeConnector) -> None:
        with pytest.raises(AuthFailed, match="did you mean"):
            connector.connect("typo")
