"""Why pods do not run, in a sentence: image pull, crash loop, bad configuration, no node, quota.

The reasons are those of the kubelet (pkg/kubelet/images/types.go, pkg/kubelet/container/sync_result.go) and of the
scheduler's PodScheduled condition.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from fleetmgr.health.conditions import condition, number, text
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at

_MOST = 400
"""Characters of a message; an image pull error can be a page."""
_PATIENCE = 3
"""Restarts after which a crash loop is no start-up order any more."""
_HOPEFUL = frozenset({HealthStatus.PROGRESSING, HealthStatus.DEGRADED})


def blocked(pod: JsonObject) -> str:
    """The first container that cannot run without a change, and why; "" when none is."""
    for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for status in array_at(pod, "status", key):
            reason = _waiting(status) if is_object(status) else ""
            if reason:
                return reason
    return ""


def _waiting(status: JsonObject) -> str:
    waiting = child(status, "state", "waiting")
    reason = str(waiting.get("reason") or "") if is_object(waiting) else ""
    if not (
        reason.startswith("Err") or reason.endswith(("Error", "BackOff")) or reason == "InvalidImageName"
    ):
        return ""
    name, image = status.get("name"), str(status.get("image") or "")
    message = str(waiting.get("message") or "")
    if reason == "CrashLoopBackOff":
        return _shortened(f"container {name}: CrashLoopBackOff{_last_end(status)}")
    pulled = f" (image {image})" if image and "Image" in reason and image not in message else ""
    return _shortened(f"container {name}: {reason}{pulled}{': ' if message else ''}{message}")


def _last_end(status: JsonObject) -> str:
    ended = object_at(status, "lastState", "terminated")
    parts: list[str] = []
    if ended.get("reason") not in (None, "", "Error"):
        parts.append(str(ended["reason"]))
    if ended.get("exitCode") is not None:
        parts.append(f"exit code {ended['exitCode']}")
    restarts = status.get("restartCount")
    if restarts:
        parts.append(f"{restarts} restarts")
    return f" ({', '.join(parts)})" if parts else ""


def unscheduled(pod: JsonObject) -> str:
    """The scheduler's reason why the pod has no node; "" when it has one."""
    found = condition(pod, "PodScheduled")
    if found.get("status") != "False":
        return ""
    return _shortened(f"{found.get('reason') or 'Unschedulable'}: {found.get('message') or 'no node fits'}")


def hopeless(pod: JsonObject) -> bool:
    """Whether the kubelet has tried more than once: a first failed pull or crash often heals by itself."""
    for key in ("initContainerStatuses", "containerStatuses"):
        for status in array_at(pod, "status", key):
            if not is_object(status) or not _waiting(status):
                continue
            reason = child(status, "state", "waiting", "reason")
            if reason == "CrashLoopBackOff":
                return number(status, "restartCount") >= _PATIENCE
            return reason != "ErrImagePull"
    return False


def worst_reason(pods: Iterable[JsonObject]) -> tuple[str, bool]:
    """The worst reason among ``pods`` with the pod's name ("" when they only need time), and whether it is
    hopeless. A pod without a node may get one (an autoscaler adds some), so it only explains."""
    found: list[tuple[int, str]] = []
    for pod in pods:
        if text(pod, "metadata", "deletionTimestamp"):
            continue
        reason = blocked(pod)
        rank = (2 if hopeless(pod) else 1) if reason else 0
        reason = reason or unscheduled(pod)
        if reason:
            found.append((-rank, f"pod {text(pod, 'metadata', 'name')}: {reason}"))
    rank, reason = min(found, default=(0, ""))
    return reason, rank == -2  # noqa: PLR2004 - the rank above


def with_pods(health: Health, pods: Iterable[JsonObject], *, may_degrade: bool) -> Health:
    """A workload's health with what its pods say. Pods only explain one that is not well by itself: an old pod that
    crashes beside enough new ones is no reason to stop. ``may_degrade``: hopeless pods make it Degraded."""
    if health.status not in _HOPEFUL:
        return health
    reason, lost = worst_reason(pods)
    if not reason:
        return health
    status = HealthStatus.DEGRADED if may_degrade and lost else health.status
    return replace(health, status=status, message=f"{health.message}; {reason}" if health.message else reason)


def _shortened(message: str) -> str:
    flat = " ".join(message.split())
    return flat if len(flat) <= _MOST else f"{flat[: _MOST - 3]}..."
