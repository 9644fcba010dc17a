"""Which pods, peers and events are read for an object, and with which selectors."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.operations.embedded.surroundings import Neighbours
from fleetmgr.ports.cluster_errors import Unreachable
from tests.fakes.cluster import FakeCluster

LABELS = {"app": "web"}


def made(cluster: FakeCluster, kind: str, name: str, **more: Any) -> dict[str, Any]:
    group = {"Pod": "v1", "Event": "v1", "Service": "v1", "Ingress": "networking.k8s.io/v1"}.get(
        kind, "apps/v1"
    )
    metadata = {"name": name, "namespace": "default", **more.pop("metadata", {})}
    return cluster.create({"apiVersion": group, "kind": kind, "metadata": metadata, **more})


def pod(cluster: FakeCluster, name: str, **labels: str) -> None:
    made(cluster, "Pod", name, metadata={"labels": {**LABELS, **labels}}, spec={})


def names(found: tuple[dict[str, Any], ...]) -> list[str]:
    return [body["metadata"]["name"] for body in found]


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def around(cluster: FakeCluster) -> Neighbours:
    return Neighbours(cluster, cluster.discover())


SELECTOR = {
    "matchLabels": LABELS,
    "matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}],
}


def test_pods_of_a_deployment_are_those_of_its_newest_replica_set(
    cluster: FakeCluster, around: Neighbours
) -> None:
    note = {"deployment.kubernetes.io/revision": "2"}
    live = made(cluster, "Deployment", "web", metadata={"annotations": note}, spec={"selector": SELECTOR})
    for revision, digest in (("1", "old"), ("2", "new")):
        metadata = {
            "labels": {**LABELS, "pod-template-hash": digest},
            "annotations": {"deployment.kubernetes.io/revision": revision},
        }
        made(cluster, "ReplicaSet", f"web-{digest}", metadata=metadata, spec={"selector": SELECTOR})
        pod(cluster, f"web-{digest}-1", **{"pod-template-hash": digest})
    assert names(around.pods(live)) == ["web-new-1"]


def test_pods_of_a_stateful_set_are_all_since_an_old_one_holds_it_up(
    cluster: FakeCluster, around: Neighbours
) -> None:
    live = {"kind": "StatefulSet", "metadata": {"namespace": "default"}, "spec": {"selector": SELECTOR}}
    pod(cluster, "db-0", **{"controller-revision-hash": "db-2"})
    pod(cluster, "db-1", **{"controller-revision-hash": "db-1"})
    assert names(around.pods(live)) == ["db-0", "db-1"]


def test_nothing_is_selected_without_a_selector(around: Neighbours) -> None:
    assert around.pods({"kind": "Job", "metadata": {"namespace": "default"}, "spec": {}}) == ()


def test_what_may_not_be_read_is_not_there(cluster: FakeCluster, around: Neighbours) -> None:
    cluster.denied.add(("list", "pods"))
    job = {"kind": "Job", "metadata": {"namespace": "default"}, "spec": {"selector": SELECTOR}}
    assert around.pods(job) == ()


def test_a_dead_cluster_is_no_empty_one(cluster: FakeCluster, around: Neighbours) -> None:
    cluster.fault = lambda _verb, _resource: Unreachable("gone", cluster="fake-1")
    with pytest.raises(Unreachable):
        around.pods({"kind": "Job", "metadata": {"namespace": "default"}, "spec": {"selector": SELECTOR}})


def test_peers_are_all_of_the_kind_and_read_once(cluster: FakeCluster, around: Neighbours) -> None:
    live = made(cluster, "Service", "a", spec={})
    made(cluster, "Service", "b", spec={})
    before = cluster.requests["list"]
    assert names(around.peers(live)) == names(around.peers(live)) == ["a", "b"]
    assert cluster.requests["list"] == before + 1


def test_an_api_group_that_cannot_be_read_may_be_served(cluster: FakeCluster) -> None:
    cluster.incomplete = ("metrics.k8s.io",)
    assert Neighbours(cluster, cluster.discover()).serves("metrics.k8s.io")
    assert not Neighbours(cluster, cluster.discover()).serves("other.k8s.io")
