"""Which module knows a kind. A module is imported when the first object of its group is judged: a fleet runs a
few of these operators, not all."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from fleetmgr.health.conditions import Rule, Rules
from fleetmgr.model.objects import GroupKind

_BUILT_IN, _OPERATORS = "fleetmgr.health.builtin", "fleetmgr.health.operators"
_KINDS: Mapping[GroupKind, str] = {
    GroupKind("", "Pod"): f"{_BUILT_IN}.pods",
    GroupKind("", "Service"): f"{_BUILT_IN}.network",
    GroupKind("", "PersistentVolumeClaim"): f"{_BUILT_IN}.storage",
    GroupKind("", "PersistentVolume"): f"{_BUILT_IN}.storage",
    GroupKind("", "Namespace"): f"{_BUILT_IN}.extensions",
}
_GROUPS: Mapping[str, str] = {
    "apps": f"{_BUILT_IN}.workloads",
    "batch": f"{_BUILT_IN}.batch",
    "networking.k8s.io": f"{_BUILT_IN}.network",
    "extensions": f"{_BUILT_IN}.network",
    "autoscaling": f"{_BUILT_IN}.scaling",
    "policy": f"{_BUILT_IN}.scaling",
    "admissionregistration.k8s.io": f"{_BUILT_IN}.admission",
    "apiextensions.k8s.io": f"{_BUILT_IN}.extensions",
    "apiregistration.k8s.io": f"{_BUILT_IN}.extensions",
}
_OPERATED: Mapping[str, str] = {
    "cert-manager.io": "cert_manager",
    "acme.cert-manager.io": "cert_manager",
    "external-secrets.io": "secrets",
    "bitnami.com": "secrets",
    "argoproj.io": "argo",
    "cluster.x-k8s.io": "cluster_api",
    "keda.sh": "keda",
    "gateway.networking.k8s.io": "gateway_api",
    "monitoring.coreos.com": "prometheus",
    "kafka.strimzi.io": "strimzi",
    "postgresql.cnpg.io": "cloudnative_pg",
    "velero.io": "velero",
    "serving.kserve.io": "kserve",
    "ray.io": "ray",
}
_SUFFIXES: Mapping[str, str] = {
    ".toolkit.fluxcd.io": "flux",
    ".crossplane.io": "crossplane",
    ".upbound.io": "crossplane",
    ".cluster.x-k8s.io": "cluster_api",
    ".istio.io": "istio",
    ".knative.dev": "knative",
}
"""Operators whose groups are many: ``s3.aws.upbound.io``, ``networking.istio.io``."""
_OF_KUBERNETES = frozenset(
    {
        "",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
        *_GROUPS,
    }
)
"""Groups of Kubernetes itself: their kinds without a rule have no health."""


@lru_cache(maxsize=1024)
def rule_for(group: str, kind: str) -> Rule | None:
    """The rule of a kind, None when there is none."""
    wanted = GroupKind(group, kind)
    module = _KINDS.get(wanted) or _module_of(group)
    if module is None:
        return None
    loaded = importlib.import_module(module)
    found = cast("Rules", loaded.RULES).get(wanted)
    return found or cast("Rule | None", getattr(loaded, "OTHERWISE", None))


def is_custom(group: str) -> bool:
    """Whether kinds of this group come from a CustomResourceDefinition or an aggregated API: kstatus applies."""
    return group not in _OF_KUBERNETES


def _module_of(group: str) -> str | None:
    if group in _GROUPS:
        return _GROUPS[group]
    operator = _OPERATED.get(group)
    if operator is None:
        operator = next((name for suffix, name in _SUFFIXES.items() if group.endswith(suffix)), None)
    return f"{_OPERATORS}.{operator}" if operator else None
