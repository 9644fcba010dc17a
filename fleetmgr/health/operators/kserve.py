"""KServe: InferenceService (argo-cd resource_customizations/serving.kserve.io/InferenceService/health.lua) and
InferenceGraph."""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rules,
    by_condition,
    conditions,
    degraded,
    healthy,
    holds,
    progressing,
    said,
    suspended,
    text,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind


def _service(live: JsonObject) -> Health:
    if holds(live, "Stopped"):
        return suspended("is stopped")
    found = [item for item in conditions(live) if item.get("type") != "Stopped"]
    if not found:
        return progressing("waits for KServe")
    transition = text(live, "status", "modelStatus", "transitionStatus")
    blocked = transition not in ("", "UpToDate", "InProgress")
    reasons = [
        f"{i.get('type')}: {said(i, str(i.get('status')))}" for i in found if i.get("status") != "True"
    ]
    if blocked:
        failure = text(live, "status", "modelStatus", "lastFailureInfo", "message")
        return degraded(failure or f"model: {transition}; {'; '.join(reasons)}".rstrip("; "))
    if reasons or transition == "InProgress":
        return progressing("; ".join(reasons) or "the model is being loaded")
    return healthy("")


RULES: Rules = {
    GroupKind("serving.kserve.io", "InferenceService"): _service,
    GroupKind("serving.kserve.io", "InferenceGraph"): by_condition("Ready", waiting="waits for KServe"),
}
