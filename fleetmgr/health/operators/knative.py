"""Knative Serving and Eventing, and its operator.

argo-cd resource_customizations/serving.knative.dev/Service/health.lua, resource_customizations/operator.knative.dev/
*/health.lua; Ready sums up the other conditions (knative specs/common/error-conditions-and-reporting.md).
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rule,
    Rules,
    conditions,
    degraded,
    healthy,
    observed,
    progressing,
    said,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind

_STEPS = ("InstallSucceeded", "DependenciesInstalled", "DeploymentsAvailable", "Ready")


def _resource(live: JsonObject) -> Health:
    found = conditions(live)
    if not found or not observed(live):
        return progressing("waits for Knative")
    serious = [item for item in found if item.get("severity") in (None, "", "Error")]
    for item in serious:
        if item.get("status") == "False":
            return degraded(f"{item.get('type')}: {said(item, 'is False')}")
    for item in serious:
        if item.get("status") != "True":
            return progressing(f"{item.get('type')}: {said(item, 'is not known')}")
    return healthy("")


def _installation(live: JsonObject) -> Health:
    """An installation that is not ready is on its way: its Deployments start one after the other."""
    found = {str(item.get("type")): item for item in conditions(live)}
    if not found:
        return progressing("waits for the Knative operator")
    for kind in ("InstallSucceeded", "DependenciesInstalled"):
        if found.get(kind, {}).get("status") == "False":
            return degraded(said(found[kind], f"{kind} is False"))
    for kind in _STEPS:
        if kind in found and found[kind].get("status") != "True":
            return progressing(said(found[kind], f"waits for {kind}"))
    return healthy("") if "Ready" in found else progressing("is being installed")


RULES: Rules = {
    GroupKind("operator.knative.dev", "KnativeServing"): _installation,
    GroupKind("operator.knative.dev", "KnativeEventing"): _installation,
}
OTHERWISE: Rule = _resource
