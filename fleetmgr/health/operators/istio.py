"""Istio: configuration that istiod checks, and IstioOperator.

argo-cd resource_customizations/install.istio.io/IstioOperator/health.lua; validation messages and the Reconciled
condition are those of istio.io/docs/reference/config/config-status.
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    HEALTHY,
    Rule,
    Rules,
    condition,
    degraded,
    fails,
    healthy,
    progressing,
    said,
    unknown,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object
from fleetmgr.model.objects import GroupKind

_STATES = {0: "NONE", 1: "UPDATING", 2: "RECONCILING", 3: "HEALTHY", 4: "ERROR", 5: "ACTION_REQUIRED"}


def _operator(live: JsonObject) -> Health:
    state = child(live, "status", "status")
    match _STATES.get(state, state) if isinstance(state, int) else state:
        case "HEALTHY":
            return HEALTHY
        case "ERROR" | "ACTION_REQUIRED":
            return degraded(str(child(live, "status", "message") or "the control plane is in error"))
        case "NONE":
            return unknown("the component is not there")
        case _:
            return progressing("waits for the control plane")


def _configuration(live: JsonObject) -> Health:
    """Without distributed status (the default) there is nothing to read: Healthy."""
    for message in array_at(live, "status", "validationMessages"):
        if is_object(message) and str(message.get("level", "")).upper() == "ERROR":
            code = child(message, "type", "name") or child(message, "type", "code") or "error"
            return degraded(f"{code}: {message.get('documentationUrl') or 'see istioctl analyze'}")
    if fails(live, "PassedAnalysis"):
        return degraded(said(condition(live, "PassedAnalysis")))
    if fails(live, "Reconciled"):
        return progressing(said(condition(live, "Reconciled"), "is not distributed to every proxy"))
    return healthy("")


RULES: Rules = {GroupKind("install.istio.io", "IstioOperator"): _operator}
OTHERWISE: Rule = _configuration
