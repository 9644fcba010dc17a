"""CloudNativePG: Cluster, Backup, ScheduledBackup, Pooler.

argo-cd resource_customizations/postgresql.cnpg.io/Cluster/health.lua; phases are those of
cloudnative-pg api/v1/cluster_types.go.
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rules,
    by_phase,
    condition,
    degraded,
    healthy,
    number,
    progressing,
    said,
    suspended,
    text,
    unknown,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind

_LOOP, _HIBERNATION = "cnpg.io/reconciliationLoop", "cnpg.io/hibernation"
_ON_ITS_WAY = frozenset(
    {
        "Setting up primary",
        "Creating a new replica",
        "Upgrading cluster",
        "Waiting for the instances to become active",
        "Promoting to primary cluster",
    }
)
_TROUBLED = frozenset(
    {
        "Switchover in progress",
        "Failing over",
        "Upgrading Postgres major version",
        "Cluster upgrade delayed",
        "Waiting for user action",
        "Primary instance is being restarted in-place",
        "Primary instance is being restarted without a switchover",
        "Cluster cannot execute instance online upgrade due to missing architecture binary",
        "Online upgrade in progress",
        "Applying configuration",
    }
)
_HELD = frozenset(
    {
        "Unable to create required cluster objects",
        "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
        "Cluster has incomplete or invalid image catalog",
        "Cluster is unrecoverable and needs manual intervention",
    }
)
"""Nothing goes on until somebody acts. Argo CD calls these Suspended; waiting for them never ends, so they are
Degraded here."""


def _cluster(live: JsonObject) -> Health:
    if object_at(live, "metadata", "annotations").get(_LOOP) == "disabled":
        return suspended("its reconciliation is disabled")
    hibernation = condition(live, _HIBERNATION)
    if hibernation:
        judge = suspended if hibernation.get("status") == "True" else degraded
        return judge(said(hibernation))
    phase = text(live, "status", "phase")
    message = text(live, "status", "phaseReason") or phase
    if phase == "Cluster in healthy state":
        return healthy("")
    if not phase or phase in _ON_ITS_WAY:
        return progressing(message or "waits for CloudNativePG")
    return degraded(message) if phase in _TROUBLED or phase in _HELD else unknown(message)


def _scheduled(live: JsonObject) -> Health:
    return suspended("is suspended") if object_at(live, "spec").get("suspend") is True else healthy("")


def _pooler(live: JsonObject) -> Health:
    wanted, there = number(live, "spec", "instances", default=1), number(live, "status", "instances")
    return progressing(f"{there} of {wanted} instances") if there < wanted else healthy("")


_GROUP = "postgresql.cnpg.io"
RULES: Rules = {
    GroupKind(_GROUP, "Cluster"): _cluster,
    GroupKind(_GROUP, "Backup"): by_phase(
        "status",
        "phase",
        good=("completed",),
        bad=("failed", "walArchivingFailing"),
        explained=("status", "error"),
    ),
    GroupKind(_GROUP, "ScheduledBackup"): _scheduled,
    GroupKind(_GROUP, "Pooler"): _pooler,
}
