"""Deployment, ReplicaSet, StatefulSet, DaemonSet.

Statuses are Argo CD's (gitops-engine/pkg/health/health_{deployment,replicaset,statefulset,daemonset}.go), the
conditions those of ``kubectl rollout status`` (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). Unlike
there, a StatefulSet or a DaemonSet whose pods cannot be made is Degraded; pods that cannot run make it so through
``fleetmgr.health.pods``.
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    HEALTHY,
    UNSEEN,
    Rules,
    condition,
    degraded,
    healthy,
    number,
    observed,
    progressing,
    said,
    suspended,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.model.objects import GroupKind


def _deployment(live: JsonObject) -> Health:
    if object_at(live, "spec").get("paused"):
        return suspended("rollout is paused")
    if not observed(live):
        return UNSEEN
    progress = condition(live, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return degraded(f"progress deadline exceeded: {_failure(live) or progress.get('message', '')}")
    return _with_failure(live, _deployment_replicas(live))


def _deployment_replicas(live: JsonObject) -> Health:
    wanted = number(live, "spec", "replicas", default=1)
    updated = number(live, "status", "updatedReplicas")
    total = number(live, "status", "replicas")
    available = number(live, "status", "availableReplicas")
    if updated < wanted:
        return progressing(f"{updated} of {wanted} replicas updated")
    if total > updated:
        return progressing(f"{total - updated} old replicas are still there")
    if available < updated:
        return progressing(f"{available} of {updated} replicas available")
    return HEALTHY


def _failure(live: JsonObject) -> str:
    """Why pods cannot be created (quota, admission), from the condition of that name."""
    found = condition(live, "ReplicaFailure")
    return said(found) if found.get("status") == "True" else ""


def _with_failure(live: JsonObject, health: Health) -> Health:
    """A Deployment has until its progress deadline; the reason is told at once."""
    failure = _failure(live)
    return progressing(f"{health.message}: {failure}") if failure and health is not HEALTHY else health


def _replica_set(live: JsonObject) -> Health:
    if not observed(live):
        return UNSEEN
    failure = _failure(live)
    if failure:
        return degraded(failure)
    wanted = number(live, "spec", "replicas", default=1)
    available = number(live, "status", "availableReplicas")
    return progressing(f"{available} of {wanted} replicas available") if available < wanted else HEALTHY


def _stateful_set(live: JsonObject) -> Health:
    if number(live, "status", "observedGeneration") == 0 or not observed(live):
        return UNSEEN
    failure = _failure(live)
    if failure:
        return degraded(failure)
    wanted = number(live, "spec", "replicas", default=1)
    ready = number(live, "status", "readyReplicas")
    if ready < wanted:
        return progressing(f"{ready} of {wanted} replicas ready")
    if child(live, "spec", "updateStrategy", "type") == "OnDelete":
        return healthy("updates when its pods are deleted (OnDelete)")
    updated = number(live, "status", "updatedReplicas")
    partition = number(live, "spec", "updateStrategy", "rollingUpdate", "partition")
    current, update = child(live, "status", "currentRevision"), child(live, "status", "updateRevision")
    done = updated >= wanted - partition if partition else current == update or updated >= wanted
    return HEALTHY if done else progressing(f"{updated} of {wanted - partition} replicas updated")


def _daemon_set(live: JsonObject) -> Health:
    if not observed(live):
        return UNSEEN
    failure = _failure(live)
    if failure:
        return degraded(failure)
    if child(live, "spec", "updateStrategy", "type") == "OnDelete":
        return healthy("updates when its pods are deleted (OnDelete)")
    wanted = number(live, "status", "desiredNumberScheduled")
    updated = number(live, "status", "updatedNumberScheduled")
    available = number(live, "status", "numberAvailable")
    if updated < wanted:
        return progressing(f"{updated} of {wanted} nodes updated")
    return progressing(f"{available} of {wanted} nodes available") if available < wanted else HEALTHY


RULES: Rules = {
    GroupKind("apps", "Deployment"): _deployment,
    GroupKind("apps", "ReplicaSet"): _replica_set,
    GroupKind("apps", "StatefulSet"): _stateful_set,
    GroupKind("apps", "DaemonSet"): _daemon_set,
}
