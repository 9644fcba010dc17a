"""Rollout, as its controller says since 1.0 (``status.phase``); older ones by their counts.

argo-cd resource_customizations/argoproj.io/Rollout/health.lua.
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    HEALTHY,
    UNSEEN,
    conditions,
    degraded,
    number,
    progressing,
    said,
    suspended,
    text,
    unknown,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, child, object_at

_GENERATION = "rollout.argoproj.io/workload-generation"
_FAILED = ("RolloutAborted", "ProgressDeadlineExceeded")


def rollout(live: JsonObject) -> Health:
    """Health of a Rollout."""
    if not object_at(live, "status") or not _observed(live):
        return UNSEEN
    phase = text(live, "status", "phase")
    return _by_phase(phase, text(live, "status", "message")) if phase else _without_phase(live)


def _by_phase(phase: str, message: str) -> Health:
    match phase:
        case "Healthy":
            return HEALTHY
        case "Paused":
            return suspended(message or "is paused")
        case "Degraded":
            return degraded(message)
        case "Progressing":
            return progressing(message or "is rolling out")
        case _:
            return unknown(message or f"is {phase}")


def _observed(live: JsonObject) -> bool:
    """Before 0.10 the observed generation was a hash; a Rollout of a workload has one of its own."""
    seen, wanted = _whole(child(live, "status", "observedGeneration")), number(live, "metadata", "generation")
    if seen is not None and seen < wanted:
        return False
    annotations = object_at(live, "metadata", "annotations")
    if not object_at(live, "spec", "workloadRef") or not annotations:
        return True
    return _whole(annotations.get(_GENERATION)) == _whole(child(live, "status", "workloadObservedGeneration"))


def _whole(written: object) -> int | None:
    text_form = str(written)
    return int(text_form) if text_form.isdecimal() and text_form.isascii() else None


def _without_phase(live: JsonObject) -> Health:
    for item in conditions(live):
        if item.get("type") == "InvalidSpec":
            return degraded(said(item))
        if item.get("type") == "Progressing" and item.get("reason") in _FAILED:
            return degraded(said(item))
    if array_at(live, "status", "pauseConditions") or object_at(live, "spec").get("paused"):
        return suspended("is paused")
    if not text(live, "status", "currentPodHash"):
        return progressing("waits for its controller")
    return _replicas(live) or _steps(live) or HEALTHY


def _replicas(live: JsonObject) -> Health | None:
    wanted = number(live, "spec", "replicas", default=1)
    updated = number(live, "status", "updatedReplicas")
    available = number(live, "status", "availableReplicas")
    if updated < wanted:
        return progressing(f"{updated} of {wanted} replicas updated")
    return progressing(f"{available} of {updated} replicas available") if available < updated else None


def _steps(live: JsonObject) -> Health | None:
    status = object_at(live, "status")
    current = status.get("currentPodHash")
    stable = status.get("stableRS") or child(live, "status", "canary", "stableRS") or ""
    strategy = object_at(live, "spec", "strategy")
    if "blueGreen" in strategy:
        if child(live, "status", "blueGreen", "activeSelector") != current:
            return progressing("the active service is not switched yet")
        return progressing("waits for its analysis") if stable and stable != current else None
    if "canary" in strategy:
        if number(live, "status", "replicas") > number(live, "status", "updatedReplicas"):
            return progressing("old replicas are still there")
        return progressing("has steps to do") if stable != current else None
    return None
