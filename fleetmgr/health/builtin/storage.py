"""PersistentVolumeClaim and PersistentVolume (Argo CD: gitops-engine/pkg/health/health_pvc.go)."""

from __future__ import annotations

from fleetmgr.health.conditions import HEALTHY, Rules, condition, degraded, progressing, said, text, unknown
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind


def _claim(live: JsonObject) -> Health:
    match text(live, "status", "phase") or "Pending":
        case "Bound":
            return _resizing(live)
        case "Pending":
            return progressing("is Pending")
        case "Lost":
            return degraded("its volume is lost")
        case phase:
            return unknown(f"is {phase}")


def _resizing(live: JsonObject) -> Health:
    """A resize that the storage refused does not harm the claim, but is worth a note."""
    for kind in ("ControllerResizeError", "NodeResizeError"):
        found = condition(live, kind)
        if found.get("status") == "True":
            return degraded(f"cannot be resized: {said(found)}")
    return HEALTHY


def _volume(live: JsonObject) -> Health:
    match text(live, "status", "phase") or "Pending":
        case "Bound" | "Available" | "Released":
            return HEALTHY
        case "Failed":
            return degraded(text(live, "status", "message") or "could not be reclaimed")
        case phase:
            return progressing(f"is {phase}")


RULES: Rules = {
    GroupKind("", "PersistentVolumeClaim"): _claim,
    GroupKind("", "PersistentVolume"): _volume,
}
