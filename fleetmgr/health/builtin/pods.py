"""Pod, as Argo CD judges it (gitops-engine/pkg/health/health_pod.go), with the container named."""

from __future__ import annotations

from fleetmgr.health.conditions import HEALTHY, Rules, degraded, healthy, holds, progressing, text, unknown
from fleetmgr.health.pods import blocked
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at
from fleetmgr.model.objects import GroupKind

_IGNORE_POLICY = "argocd.argoproj.io/ignore-restart-policy"
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")


def _pod(live: JsonObject) -> Health:
    lives_on = _lives_on(live)
    if lives_on:
        reason = blocked(live)
        if reason:
            return degraded(reason)
    message = text(live, "status", "message")
    match text(live, "status", "phase") or "Pending":
        case "Pending":
            return progressing(message or _unscheduled(live) or "is Pending")
        case "Succeeded":
            return healthy(message)
        case "Failed":
            return degraded(message or _failure(live))
        case "Running":
            return _running(live) if lives_on else progressing(message or "is running to its end")
        case phase:
            return unknown(message or f"is {phase}")


def _lives_on(live: JsonObject) -> bool:
    """Whether this pod is meant to run for ever. A pod that is meant to end is only running until it has."""
    policy = text(live, "spec", "restartPolicy") or "Always"
    annotations = object_at(live, "metadata", "annotations")
    ignored = annotations.get(_IGNORE_POLICY) == "true" and not any(hook in annotations for hook in _HOOKS)
    return policy == "Always" or ignored


def _running(live: JsonObject) -> Health:
    if holds(live, "Ready"):
        return HEALTHY
    for status in array_at(live, "status", "containerStatuses"):
        ended = child(status, "lastState", "terminated") if is_object(status) else None
        if is_object(ended):
            how = f"{ended.get('reason') or 'ended'}, exit code {ended.get('exitCode')}"
            return degraded(f"container {status.get('name')} is not ready after a restart ({how})")
    return progressing("is running and not ready")


def _unscheduled(live: JsonObject) -> str:
    for item in array_at(live, "status", "conditions"):
        if is_object(item) and item.get("type") == "PodScheduled" and item.get("status") == "False":
            return f"{item.get('reason') or 'Unschedulable'}: {item.get('message') or ''}".rstrip(": ")
    return ""


def _failure(live: JsonObject) -> str:
    every = [
        *array_at(live, "status", "initContainerStatuses"),
        *array_at(live, "status", "containerStatuses"),
    ]
    for status in every:
        ended = child(status, "state", "terminated") if is_object(status) else None
        if not is_object(ended):
            continue
        if ended.get("message"):
            return str(ended["message"])
        if ended.get("reason") == "OOMKilled":
            return f"container {status.get('name')}: OOMKilled"
        if ended.get("exitCode"):
            return f"container {status.get('name')} failed with exit code {ended['exitCode']}"
    return text(live, "status", "reason") or "failed"


RULES: Rules = {GroupKind("", "Pod"): _pod}
