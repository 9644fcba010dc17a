"""KubeRay: RayCluster, RayJob, RayService (states of kuberay ray-operator/apis/ray/v1)."""

from __future__ import annotations

from fleetmgr.health.conditions import (
    HEALTHY,
    Rules,
    condition,
    degraded,
    holds,
    observed,
    progressing,
    said,
    suspended,
    text,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind


def _cluster(live: JsonObject) -> Health:
    state, reason = text(live, "status", "state"), text(live, "status", "reason")
    if holds(live, "RayClusterReplicaFailure"):
        return degraded(said(condition(live, "RayClusterReplicaFailure")))
    if state == "suspended" or object_at(live, "spec").get("suspend") is True:
        return suspended("is suspended")
    if state == "failed":
        return degraded(reason or "failed")
    ready = state == "ready" and observed(live)
    return HEALTHY if ready else progressing(reason or "waits for its head and workers")


def _job(live: JsonObject) -> Health:
    message = text(live, "status", "message") or text(live, "status", "reason")
    job = text(live, "status", "jobStatus")
    match text(live, "status", "jobDeploymentStatus"):
        case "Failed" | "ValidationFailed":
            return degraded(message or "failed")
        case "Suspended":
            return suspended("is suspended")
        case "Complete" if job == "SUCCEEDED":
            return HEALTHY
        case "Complete":
            return degraded(message or f"ended as {job}")
        case state:
            return progressing(message or (f"is {state}" if state else "waits for KubeRay"))


def _service(live: JsonObject) -> Health:
    ready = condition(live, "Ready")
    running = ready.get("status") == "True" or (
        not ready and text(live, "status", "serviceStatus") == "Running"
    )
    if running and observed(live):
        return HEALTHY
    return progressing(said(ready, text(live, "status", "serviceStatus") or "waits for its applications"))


RULES: Rules = {
    GroupKind("ray.io", "RayCluster"): _cluster,
    GroupKind("ray.io", "RayJob"): _job,
    GroupKind("ray.io", "RayService"): _service,
}
