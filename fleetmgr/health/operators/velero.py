"""Velero: Backup, Restore, Schedule, BackupStorageLocation (phases of velero pkg/apis/velero/v1)."""

from __future__ import annotations

from fleetmgr.health.conditions import Rules, by_phase, degraded, healthy, progressing, suspended, text
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, object_at
from fleetmgr.model.objects import GroupKind

_run = by_phase(
    "status",
    "phase",
    good=("Completed",),
    bad=("Failed", "PartiallyFailed", "FailedValidation"),
    explained=("status", "failureReason"),
)


def _schedule(live: JsonObject) -> Health:
    if object_at(live, "spec").get("paused") is True:
        return suspended("is paused")
    match text(live, "status", "phase"):
        case "Enabled":
            return healthy("")
        case "FailedValidation":
            return degraded(
                ", ".join(map(str, array_at(live, "status", "validationErrors"))) or "is not valid"
            )
        case _:
            return progressing("waits for Velero")


_GROUP = "velero.io"
RULES: Rules = {
    GroupKind(_GROUP, "Backup"): _run,
    GroupKind(_GROUP, "Restore"): _run,
    GroupKind(_GROUP, "Schedule"): _schedule,
    GroupKind(_GROUP, "BackupStorageLocation"): by_phase(
        "status", "phase", good=("Available",), bad=("Unavailable",), explained=("status", "message")
    ),
}
