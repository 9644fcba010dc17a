"""HorizontalPodAutoscaler and PodDisruptionBudget.

Argo CD: gitops-engine/pkg/health/health_hpa.go, resource_customizations/policy/PodDisruptionBudget/health.lua.
"""

from __future__ import annotations

import json

from fleetmgr.health.conditions import Rules, conditions, degraded, healthy, progressing, said
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object, object_at
from fleetmgr.model.objects import GroupKind

_V1_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_FAILURES = frozenset(
    {
        ("AbleToScale", "FailedGetScale"),
        ("AbleToScale", "FailedUpdateScale"),
        ("ScalingActive", "FailedGetResourceMetric"),
        ("ScalingActive", "FailedGetObjectMetric"),
        ("ScalingActive", "FailedGetPodsMetric"),
        ("ScalingActive", "FailedGetExternalMetric"),
        ("ScalingActive", "FailedComputeMetricsReplicas"),
        ("ScalingActive", "InvalidSelector"),
    }
)


def _autoscaler(live: JsonObject) -> Health:
    found = autoscaler_conditions(live)
    for item in found:
        if (item.get("type"), item.get("reason")) in _FAILURES:
            return degraded(said(item))
    for item in found:
        if item.get("type") in ("AbleToScale", "ScalingLimited") and item.get("status") == "True":
            return healthy(str(item.get("message") or ""))
    return progressing("waits for its first metrics")


def autoscaler_conditions(live: JsonObject) -> list[JsonObject]:
    """The status conditions of an autoscaler in any version."""
    return conditions(live) or _v1_conditions(live)


def _v1_conditions(live: JsonObject) -> list[JsonObject]:
    """autoscaling/v1 has its conditions as JSON in an annotation."""
    written = object_at(live, "metadata", "annotations").get(_V1_CONDITIONS)
    try:
        parsed: Json = json.loads(written) if isinstance(written, str) else []
    except ValueError:
        return []
    return [item for item in parsed if is_object(item)] if is_array(parsed) else []


def _disruption_budget(live: JsonObject) -> Health:
    """Too few pods to disrupt is what a budget is for (argo-cd#20171)."""
    found = conditions(live)
    for item in found:
        if item.get("status") == "False" and item.get("reason") != "InsufficientPods":
            return degraded(said(item))
    return healthy(str(found[-1].get("reason") or "")) if found else progressing("has no status yet")


RULES: Rules = {
    GroupKind("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    GroupKind("policy", "PodDisruptionBudget"): _disruption_budget,
}
