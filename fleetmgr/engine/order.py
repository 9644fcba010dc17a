"""In which order objects of one app are written: what others need comes first. Deletes go backwards.

The ranks are those of Helm's InstallOrder (helm.sh/helm/v4 pkg/release/v1/util/kind_sorter.go), folded into
groups whose members do not need each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from fleetmgr.model.objects import ObjectRef

_GROUPS: tuple[tuple[str, ...], ...] = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("PriorityClass", "RuntimeClass", "StorageClass", "IngressClass", "CSIDriver"),
    ("NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget"),
    ("ServiceAccount", "Secret", "ConfigMap", "PersistentVolume"),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding", "PersistentVolumeClaim"),
    ("Service",),
    (
        "DaemonSet",
        "Deployment",
        "StatefulSet",
        "ReplicaSet",
        "ReplicationController",
        "Pod",
        "Job",
        "CronJob",
    ),
    ("HorizontalPodAutoscaler", "Ingress", "APIService"),
    ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding"),
)
_RANK = {kind: rank for rank, kinds in enumerate(_GROUPS) for kind in kinds}
_UNKNOWN = _RANK["HorizontalPodAutoscaler"]
"""Custom resources: after workloads (their operators), before webhooks."""

T = TypeVar("T")


def rank(ref: ObjectRef) -> int:
    """0 = first. Kinds of one rank may be written at the same time."""
    builtin = "." not in ref.group or ref.group.endswith(".k8s.io")
    return _RANK.get(ref.kind, _UNKNOWN) if builtin else _UNKNOWN


def stages(refs: Iterable[ObjectRef]) -> list[list[ObjectRef]]:
    """References grouped by rank, first rank first, sorted inside."""
    by_rank: dict[int, list[ObjectRef]] = {}
    for ref in refs:
        by_rank.setdefault(rank(ref), []).append(ref)
    return [sorted(by_rank[r]) for r in sorted(by_rank)]
