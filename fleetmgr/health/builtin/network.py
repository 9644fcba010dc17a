"""Service and Ingress: they wait for an address only where somebody gives one.

Argo CD (gitops-engine/pkg/health/health_{service,ingress}.go) has an Ingress without an address Progressing for ever
on clusters where nothing serves it. Who serves what is only known on a cluster: ``fleetmgr.health.served`` turns
Progressing into Healthy with a note there.
"""

from __future__ import annotations

from fleetmgr.health.conditions import HEALTHY, Rules, progressing, text
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at
from fleetmgr.model.objects import GroupKind


def _service(live: JsonObject) -> Health:
    if text(live, "spec", "type") != "LoadBalancer" or array_at(live, "status", "loadBalancer", "ingress"):
        return HEALTHY
    return progressing("waits for a load balancer")


def _ingress(live: JsonObject) -> Health:
    if array_at(live, "status", "loadBalancer", "ingress"):
        return HEALTHY
    return progressing("waits for an address")


RULES: Rules = {
    GroupKind("", "Service"): _service,
    GroupKind("networking.k8s.io", "Ingress"): _ingress,
    GroupKind("extensions", "Ingress"): _ingress,
}
