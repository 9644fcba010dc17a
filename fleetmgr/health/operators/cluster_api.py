"""Cluster API: Cluster, Machine, MachineDeployment, MachineSet, MachinePool, MachineHealthCheck.

argo-cd resource_customizations/cluster.x-k8s.io/*/health.lua. Kinds of the providers go by their contract.
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    HEALTHY,
    Rule,
    Rules,
    by_condition,
    by_phase,
    condition,
    conditions,
    degraded,
    progressing,
    said,
    suspended,
    text,
)
from fleetmgr.health.kstatus import by_conventions
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.model.objects import GroupKind


def _phased(*good: str) -> Rule:
    judge = by_phase("status", "phase", good=good, bad=("Failed",), explained=("status", "failureMessage"))

    def rule(live: JsonObject) -> Health:
        if object_at(live, "spec").get("paused"):
            return suspended("is paused")
        return judge(live)

    return rule


_by_phase = _phased("Provisioned")


def _cluster(live: JsonObject) -> Health:
    """While it is provisioned, Ready is False with severity Info; anything more serious is a failure."""
    health = _by_phase(live)
    ready = condition(live, "Ready")
    serious = ready.get("status") == "False" and ready.get("severity") != "Info"
    return degraded(said(ready)) if serious and health.status is not HealthStatus.SUSPENDED else health


_machine_phase = _phased("Running")


def _machine(live: JsonObject) -> Health:
    health = _machine_phase(live)
    ready = condition(live, "Ready")
    if health.status is HealthStatus.HEALTHY or ready.get("status") != "False":
        return health
    return Health(status=health.status, message=said(ready, health.message))


def _health_check(live: JsonObject) -> Health:
    current, expected = child(live, "status", "currentHealthy"), child(live, "status", "expectedMachines")
    if current is None:
        return progressing("has not looked yet")
    return HEALTHY if current == expected else degraded(f"{current} of {expected} machines are healthy")


def _of_provider(live: JsonObject) -> Health:
    """Infrastructure, bootstrap and control plane providers (the contract of cluster-api.sigs.k8s.io/developer/
    providers): a failureMessage is terminal, Ready False is a failure unless its severity is Info."""
    failure = text(live, "status", "failureMessage")
    if failure:
        return degraded(failure)
    for item in conditions(live):
        if item.get("status") == "False" and item.get("severity") == "Error":
            return degraded(said(item))
    if child(live, "status", "ready") is False:
        return progressing(said(condition(live, "Ready"), "is not ready"))
    return by_conventions(live)


OTHERWISE: Rule = _of_provider
RULES: Rules = {
    GroupKind("addons.cluster.x-k8s.io", "ClusterResourceSet"): by_condition(
        "ResourcesApplied", waiting="waits to be applied"
    ),
    GroupKind("cluster.x-k8s.io", "Cluster"): _cluster,
    GroupKind("cluster.x-k8s.io", "Machine"): _machine,
    GroupKind("cluster.x-k8s.io", "MachineDeployment"): _phased("Running"),
    GroupKind("cluster.x-k8s.io", "MachinePool"): _phased("Running", "Scaling"),
    GroupKind("cluster.x-k8s.io", "MachineHealthCheck"): _health_check,
}
