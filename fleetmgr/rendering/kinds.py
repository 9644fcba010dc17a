"""What is known about kinds without asking a cluster: built in or custom, cluster-scoped or namespaced."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object
from fleetmgr.model.objects import GroupKind

BUILT_IN_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""Served by kube-apiserver itself. Other ``*.k8s.io`` groups (gateway, snapshot) are custom resources."""

CLUSTER_SCOPED = frozenset(
    GroupKind(group, kind)
    for group, kinds in {
        "": ("ComponentStatus", "Namespace", "Node", "PersistentVolume"),
        "admissionregistration.k8s.io": (
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ),
        "apiextensions.k8s.io": ("CustomResourceDefinition",),
        "apiregistration.k8s.io": ("APIService",),
        "authentication.k8s.io": ("SelfSubjectReview", "TokenReview"),
        "authorization.k8s.io": ("SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"),
        "certificates.k8s.io": ("CertificateSigningRequest", "ClusterTrustBundle"),
        "extensions": ("PodSecurityPolicy",),
        "flowcontrol.apiserver.k8s.io": ("FlowSchema", "PriorityLevelConfiguration"),
        "internal.apiserver.k8s.io": ("StorageVersion",),
        "networking.k8s.io": ("ClusterCIDR", "IPAddress", "IngressClass", "ServiceCIDR"),
        "node.k8s.io": ("RuntimeClass",),
        "policy": ("PodSecurityPolicy",),
        "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding"),
        "resource.k8s.io": ("DeviceClass", "DeviceTaintRule", "ResourcePoolStatusRequest", "ResourceSlice"),
        "scheduling.k8s.io": ("PriorityClass",),
        "storage.k8s.io": (
            "CSIDriver",
            "CSINode",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ),
        "storagemigration.k8s.io": ("StorageVersionMigration",),
    }.items()
    for kind in kinds
)

CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
NAMESPACE = GroupKind("", "Namespace")


class CustomKind(Struct, frozen=True, kw_only=True):
    """What a CustomResourceDefinition of the stack says about its kind."""

    name: str
    group_kind: GroupKind
    namespaced: bool
    versions: tuple[str, ...]


def is_built_in(group: str) -> bool:
    """Whether kube-apiserver itself knows the group's types, defaults included."""
    return group in BUILT_IN_GROUPS


def custom_kind(body: JsonObject) -> CustomKind | None:
    """The kind that a CRD object defines; None when ``body`` is no (complete) CRD."""
    api_version = str(body.get("apiVersion", ""))
    if body.get("kind") != CRD.kind or not api_version.startswith(f"{CRD.group}/"):
        return None
    group, kind = child(body, "spec", "group"), child(body, "spec", "names", "kind")
    if not isinstance(group, str) or not isinstance(kind, str):
        return None
    named = [v["name"] for v in array_at(body, "spec", "versions") if is_object(v) and "name" in v]
    legacy = child(body, "spec", "version")
    versions = [str(v) for v in (*named, *([legacy] if legacy else []))]
    return CustomKind(
        name=str(child(body, "metadata", "name")),
        group_kind=GroupKind(group, kind),
        namespaced=child(body, "spec", "scope") != "Cluster",
        versions=tuple(dict.fromkeys(versions)),
    )


class Scopes:
    """Whether a kind lives in namespaces: the built-in table, then the stack's CRDs; unknown kinds do."""

    def __init__(self, custom: Iterable[CustomKind]) -> None:
        """``custom`` are the CRDs of the stack."""
        self.custom = {kind.group_kind: kind for kind in custom}
        self.key = tuple(sorted((kind.group_kind, kind.namespaced) for kind in self.custom.values()))
        """Equal for equal answers."""

    def cluster_scoped(self, group_kind: GroupKind) -> bool:
        """True for kinds without namespace."""
        if group_kind in CLUSTER_SCOPED:
            return True
        custom = self.custom.get(group_kind)
        return custom is not None and not custom.namespaced
