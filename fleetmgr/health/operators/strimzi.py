"""Strimzi: Kafka and everything around it (argo-cd resource_customizations/kafka.strimzi.io/*/health.lua)."""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rule,
    Rules,
    condition,
    conditions,
    degraded,
    healthy,
    holds,
    progressing,
    said,
    suspended,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind


def _cluster_or_user(live: JsonObject) -> Health:
    if holds(live, "ReconciliationPaused"):
        return suspended("its reconciliation is paused")
    unready = condition(live, "NotReady")
    if unready.get("status") == "True":
        creating = unready.get("reason") == "Creating"
        return progressing(said(unready)) if creating else degraded(said(unready))
    return healthy("") if holds(live, "Ready") else progressing("waits for Strimzi")


def _node_pool(live: JsonObject) -> Health:
    """A pool's status is counted at its Kafka; it has conditions only when something is wrong."""
    for item in conditions(live):
        if item.get("type") == "Warning" and item.get("status") == "True":
            return healthy(said(item))
    return healthy("")


RULES: Rules = {GroupKind("kafka.strimzi.io", "KafkaNodePool"): _node_pool}
OTHERWISE: Rule = _cluster_or_user
