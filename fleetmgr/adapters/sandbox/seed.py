"""What a new cluster holds: nodes, a default StorageClass, rights of the read-only user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleetmgr.adapters.sandbox.credentials import READER_GROUP

NODES = 2
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
# Plenty for a thousand simulated pods a node; real clusters of a sandbox never fill.
_CAPACITY = {"cpu": "256", "memory": "1Ti", "ephemeral-storage": "4Ti", "pods": "5000"}


def node_names(cluster: str) -> tuple[str, ...]:
    """The simulated nodes of a cluster."""
    return tuple(f"{cluster}-node-{number}" for number in range(1, NODES + 1))


def seed_objects(cluster: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Collection path and object, in the order of creation."""
    yield (
        "/apis/storage.k8s.io/v1/storageclasses",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "kubernetes.io/host-path",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        },
    )
    yield (
        f"{_RBAC}/clusterroles",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": READER_GROUP},
            "rules": [
                {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
                {"nonResourceURLs": ["*"], "verbs": ["get"]},
            ],
        },
    )
    for role in (READER_GROUP, "view"):
        yield f"{_RBAC}/clusterrolebindings", _binding(role)
    for number, name in enumerate(node_names(cluster), start=1):
        yield "/api/v1/nodes", _node(name, zone=f"zone-{number}")


def is_ready_node(node: Mapping[str, Any]) -> bool:
    """Ready and without the taints that a new node carries."""
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not node.get("spec", {}).get("taints")


def host_path_of(volume: Mapping[str, Any]) -> str | None:
    """The folder that the controller manager made for a volume, None for other volumes."""
    spec = volume.get("spec", {})
    path = str(spec.get("hostPath", {}).get("path", ""))
    ours = spec.get("storageClassName") == "standard" and path.startswith("/tmp/hostpath_pv/")  # noqa: S108 - fixed in Kubernetes' host-path provisioner
    return path if ours else None


def _binding(role: str) -> Mapping[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{READER_GROUP}:{role.rpartition(':')[2]}"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": READER_GROUP}],
    }


def _node(name: str, *, zone: str) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/zone": zone,
                "node.kubernetes.io/instance-type": "kwok",
            },
        },
        "status": {"capacity": _CAPACITY, "allocatable": _CAPACITY},
    }
