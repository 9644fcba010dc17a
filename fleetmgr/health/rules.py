"""Health of the kinds that an apply waits for. Each rule reads one live object and nothing else.

Statuses are Argo CD's (gitops-engine pkg/health); the conditions are those of ``kubectl rollout status``
(k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). A kind without a rule is Healthy once it exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at
from fleetmgr.model.objects import GroupKind, split_api_version

Rule = Callable[[JsonObject], Health]


def health_of(live: JsonObject | None) -> Health:
    """Health of one live object; None (not there) is Missing."""
    if live is None:
        return Health(status=HealthStatus.MISSING, message="does not exist")
    if object_at(live, "metadata").get("deletionTimestamp"):
        return Health(status=HealthStatus.PROGRESSING, message="is being deleted")
    group, _ = split_api_version(str(live.get("apiVersion", "")))
    rule = RULES.get(GroupKind(group, str(live.get("kind", ""))))
    return rule(live) if rule else _HEALTHY


def has_rule(group: str, kind: str) -> bool:
    """Whether health of this kind can be anything but Healthy or Missing."""
    return GroupKind(group, kind) in RULES


_HEALTHY = Health(status=HealthStatus.HEALTHY)


def _progressing(message: str) -> Health:
    return Health(status=HealthStatus.PROGRESSING, message=message)


def _degraded(message: str) -> Health:
    return Health(status=HealthStatus.DEGRADED, message=message)


def _number(live: JsonObject, *path: str, default: int = 0) -> int:
    value = child(live, *path)
    return int(value) if isinstance(value, (int, float)) else default


def condition(live: JsonObject, kind: str) -> JsonObject:
    """The status condition of a type, or an empty one."""
    for item in array_at(live, "status", "conditions"):
        if is_object(item) and item.get("type") == kind:
            return item
    return {}


def _observed(live: JsonObject) -> bool:
    return _number(live, "status", "observedGeneration") >= _number(live, "metadata", "generation")


def _deployment(live: JsonObject) -> Health:
    if object_at(live, "spec").get("paused"):
        return Health(status=HealthStatus.SUSPENDED, message="rollout is paused")
    if not _observed(live):
        return _progressing("waiting for the controller to see the new spec")
    progress = condition(live, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return _degraded(f"progress deadline exceeded: {progress.get('message', '')}")
    return _replicas(live)


def _replicas(live: JsonObject) -> Health:
    wanted = _number(live, "spec", "replicas", default=1)
    updated = _number(live, "status", "updatedReplicas")
    total = _number(live, "status", "replicas")
    available = _number(live, "status", "availableReplicas")
    if updated < wanted:
        return _progressing(f"{updated} of {wanted} replicas updated")
    if total > updated:
        return _progressing(f"{total - updated} old replicas are still there")
    if available < updated:
        return _progressing(f"{available} of {updated} replicas available")
    return _HEALTHY


def _stateful_set(live: JsonObject) -> Health:
    if not _observed(live):
        return _progressing("waiting for the controller to see the new spec")
    wanted = _number(live, "spec", "replicas", default=1)
    ready = _number(live, "status", "readyReplicas")
    if ready < wanted:
        return _progressing(f"{ready} of {wanted} replicas ready")
    if child(live, "spec", "updateStrategy", "type") == "OnDelete":
        return _HEALTHY
    updated = _number(live, "status", "updatedReplicas")
    partition = _number(live, "spec", "updateStrategy", "rollingUpdate", "partition")
    current, update = child(live, "status", "currentRevision"), child(live, "status", "updateRevision")
    done = updated >= wanted - partition if partition else current == update or updated >= wanted
    return _HEALTHY if done else _progressing(f"{updated} of {wanted - partition} replicas updated")


def _daemon_set(live: JsonObject) -> Health:
    if not _observed(live):
        return _progressing("waiting for the controller to see the new spec")
    wanted = _number(live, "status", "desiredNumberScheduled")
    updated = _number(live, "status", "updatedNumberScheduled")
    available = _number(live, "status", "numberAvailable")
    rolling = child(live, "spec", "updateStrategy", "type") != "OnDelete"
    if rolling and updated < wanted:
        return _progressing(f"{updated} of {wanted} nodes updated")
    if available < wanted:
        return _progressing(f"{available} of {wanted} nodes available")
    return _HEALTHY


def _job(live: JsonObject) -> Health:
    failed = condition(live, "Failed")
    if failed.get("status") == "True":
        return _degraded(f"failed: {failed.get('message') or failed.get('reason', '')}")
    if condition(live, "Complete").get("status") == "True":
        return _HEALTHY
    if object_at(live, "spec").get("suspend"):
        return Health(status=HealthStatus.SUSPENDED, message="is suspended")
    return _progressing("is running")


def _pod(live: JsonObject) -> Health:
    phase = str(child(live, "status", "phase") or "Pending")
    if phase == "Succeeded":
        return _HEALTHY
    if phase == "Failed":
        return _degraded(str(child(live, "status", "message") or "failed"))
    for status in array_at(live, "status", "containerStatuses"):
        reason = child(status, "state", "waiting", "reason") if is_object(status) else None
        if isinstance(reason, str) and (reason.endswith("BackOff") or reason.startswith("Err")):
            return _degraded(f"container {status.get('name')}: {reason}")
    if phase == "Running" and condition(live, "Ready").get("status") == "True":
        return _HEALTHY
    return _progressing(f"is {phase}")


def _claim(live: JsonObject) -> Health:
    phase = str(child(live, "status", "phase") or "Pending")
    if phase == "Bound":
        return _HEALTHY
    if phase == "Lost":
        return _degraded("its volume is lost")
    return _progressing(f"is {phase}")


def _definition(live: JsonObject) -> Health:
    refused = condition(live, "NamesAccepted")
    if refused.get("status") == "False":
        return _degraded(f"names are not accepted: {refused.get('message', '')}")
    if condition(live, "Established").get("status") == "True":
        return _HEALTHY
    return _progressing("is not established")


def _namespace(live: JsonObject) -> Health:
    return _HEALTHY if child(live, "status", "phase") == "Active" else _progressing("is not active")


RULES: Mapping[GroupKind, Rule] = {
    GroupKind("apps", "Deployment"): _deployment,
    GroupKind("apps", "StatefulSet"): _stateful_set,
    GroupKind("apps", "DaemonSet"): _daemon_set,
    GroupKind("batch", "Job"): _job,
    GroupKind("", "Pod"): _pod,
    GroupKind("", "PersistentVolumeClaim"): _claim,
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    GroupKind("", "Namespace"): _namespace,
}
