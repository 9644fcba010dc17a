"""Does anybody serve this Ingress or LoadBalancer Service? Evidence from the object and from its peers.

Nothing on a cluster says which controllers run. But who serves a class leaves traces: an address on any object of
the class, a finalizer (cloud controllers: ``service.kubernetes.io/load-balancer-cleanup``), a condition or a status
written for this object. Without any trace the object is as good as it can be on this cluster.
"""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.health.conditions import healthy, text
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, array_at, child, object_at

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def awaits_address(live: JsonObject) -> bool:
    """Whether this is an Ingress, or a Service of type LoadBalancer, that has no address."""
    kind = live.get("kind")
    wants = kind == "Ingress" or (kind == "Service" and text(live, "spec", "type") == "LoadBalancer")
    return wants and not array_at(live, "status", "loadBalancer", "ingress")


def class_of(live: JsonObject) -> str:
    """The class that it asks for; "" is the cluster's default."""
    if live.get("kind") == "Service":
        return text(live, "spec", "loadBalancerClass")
    return text(live, "spec", "ingressClassName") or str(
        object_at(live, "metadata", "annotations").get(_CLASS_ANNOTATION) or ""
    )


def with_peers(health: Health, live: JsonObject, peers: Iterable[JsonObject]) -> Health:
    """Healthy with a note when nobody serves the class, judged by ``peers``: all objects of its kind."""
    if health.status is not HealthStatus.PROGRESSING or not awaits_address(live) or _claimed(live):
        return health
    wanted = class_of(live)
    for peer in peers:
        if class_of(peer) == wanted and array_at(peer, "status", "loadBalancer", "ingress"):
            return health
    what = "Ingress class" if live.get("kind") == "Ingress" else "load balancer class"
    named = f"the {what} `{wanted}`" if wanted else f"the default {what}"
    return healthy(f"has no address: nobody on this cluster serves {named}")


def _claimed(live: JsonObject) -> bool:
    return bool(array_at(live, "metadata", "finalizers") or child(live, "status", "conditions"))
