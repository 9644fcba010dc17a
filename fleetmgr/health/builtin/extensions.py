"""What extends the API or holds others: CustomResourceDefinition, APIService, Namespace.

Argo CD: resource_customizations/apiextensions.k8s.io/CustomResourceDefinition/health.lua,
gitops-engine/pkg/health/health_apiservice.go.
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    HEALTHY,
    Rules,
    condition,
    conditions,
    degraded,
    fails,
    holds,
    progressing,
    said,
    text,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind


def _definition(live: JsonObject) -> Health:
    if not conditions(live):
        return progressing("is not established")
    if holds(live, "Terminating"):
        return progressing(f"is being deleted: {said(condition(live, 'Terminating'))}")
    refused = _refused(live)
    if refused:
        return degraded(refused)
    established = condition(live, "Established")
    if established.get("status") == "True":
        return HEALTHY
    if established.get("reason") == "Installing":
        return progressing("is being installed")
    return degraded(said(established, "is not established"))


def _refused(live: JsonObject) -> str:
    if fails(live, "NamesAccepted"):
        return f"names are not accepted: {said(condition(live, 'NamesAccepted'))}"
    if holds(live, "NonStructuralSchema"):
        return f"its schema is not structural: {said(condition(live, 'NonStructuralSchema'))}"
    return ""


def _api_service(live: JsonObject) -> Health:
    found = condition(live, "Available")
    if found.get("status") == "True":
        return HEALTHY
    return progressing(said(found, "is not available"))


def _namespace(live: JsonObject) -> Health:
    phase = text(live, "status", "phase")
    return HEALTHY if phase == "Active" else progressing(f"is {phase}" if phase else "is not active")


RULES: Rules = {
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    GroupKind("apiregistration.k8s.io", "APIService"): _api_service,
    GroupKind("", "Namespace"): _namespace,
}
