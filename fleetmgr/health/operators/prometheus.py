"""Prometheus operator: Prometheus, PrometheusAgent, Alertmanager, ThanosRuler.

argo-cd resource_customizations/monitoring.coreos.com/Prometheus/health.lua; the other three have the same
conditions (prometheus-operator.dev/docs/api-reference). ServiceMonitors and rules are Healthy once they exist.
"""

from __future__ import annotations

from fleetmgr.health.conditions import Rules, condition, degraded, healthy, progressing, said, suspended
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind


def _instances(live: JsonObject) -> Health:
    if object_at(live, "spec").get("paused"):
        return suspended("is paused")
    available = condition(live, "Available")
    if not available:
        return progressing("waits for the operator")
    if available.get("status") == "True":
        return healthy("")
    starting = available.get("reason") == "SomePodsNotReady"
    return progressing(said(available)) if starting else degraded(said(available, "is not available"))


_KINDS = ("Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler")
RULES: Rules = {GroupKind("monitoring.coreos.com", kind): _instances for kind in _KINDS}
