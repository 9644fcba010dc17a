"""What an object's neighbours say about it: pods explain a workload, peers show who serves a class, the cluster's
API shows whether there are metrics at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from fleetmgr.health.builtin.admission import with_endpoints
from fleetmgr.health.builtin.scaling import autoscaler_conditions
from fleetmgr.health.conditions import healthy
from fleetmgr.health.pods import with_pods
from fleetmgr.health.served import awaits_address, with_peers
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.webhooks import WEBHOOK_KINDS, services_of

_WORKLOADS = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
_NOT_WELL = frozenset({HealthStatus.PROGRESSING, HealthStatus.DEGRADED})
_NO_METRICS = "FailedGetResourceMetric"


class Surroundings(Protocol):
    """Read only when an object is not well by itself."""

    def pods(self, workload: JsonObject) -> Iterable[JsonObject]:
        """Pods of the workload's current template: those of the last one may well be what this one repairs."""
        ...

    def peers(self, live: JsonObject) -> Iterable[JsonObject]:
        """Every object of its kind on the cluster."""
        ...

    def warnings(self, live: JsonObject) -> Iterable[str]:
        """Why its pods cannot be created (the newest event says FailedCreate), or nothing."""
        ...

    def endpoints(self, namespace: str, service: str) -> Iterable[JsonObject] | None:
        """The EndpointSlices of a Service; None where they may not be read."""
        ...

    def serves(self, group: str) -> bool:
        """Whether the cluster serves an API group."""
        ...


def in_surroundings(health: Health, live: JsonObject, around: Surroundings) -> Health:
    """``health`` of ``live`` by itself, with what its surroundings add."""
    kind = live.get("kind")
    if kind in WEBHOOK_KINDS:
        return _with_servers(health, live, around)
    if health.status not in _NOT_WELL:
        return health
    if awaits_address(live):
        return with_peers(health, live, around.peers(live))
    if kind in _WORKLOADS:
        return _explained(health, live, around)
    if kind == "HorizontalPodAutoscaler" and _lacks_metrics(live) and not around.serves("metrics.k8s.io"):
        return healthy("does not scale: nobody on this cluster serves metrics.k8s.io")
    return health


def _with_servers(health: Health, live: JsonObject, around: Surroundings) -> Health:
    for service in services_of(live):
        found = with_endpoints(health, service, around.endpoints(*service))
        if found is not health:
            return found
    return health


def _explained(health: Health, live: JsonObject, around: Surroundings) -> Health:
    """A Deployment has a deadline and conditions of its own. A StatefulSet and a DaemonSet have neither: pods
    that were tried more than once, or that cannot even be created (an event is all there is), make them
    Degraded, or they would be Progressing for ever."""
    no_deadline = live.get("kind") in ("StatefulSet", "DaemonSet")
    found = with_pods(health, around.pods(live), may_degrade=no_deadline)
    if found is not health or live.get("kind") == "Deployment":
        return found
    for message in around.warnings(live):
        status = HealthStatus.DEGRADED if no_deadline else health.status
        return Health(status=status, message=f"{health.message}; {message}" if health.message else message)
    return found


def _lacks_metrics(live: JsonObject) -> bool:
    return any(
        c.get("type") == "ScalingActive" and c.get("reason") == _NO_METRICS
        for c in autoscaler_conditions(live)
    )
