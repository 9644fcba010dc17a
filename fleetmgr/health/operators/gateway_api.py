"""Gateway API: GatewayClass, Gateway, routes, BackendTLSPolicy.

argo-cd resource_customizations/gateway.networking.k8s.io/*/health.lua; the meaning of conditions is
gateway-api.sigs.k8s.io/guides/implementers.
"""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.health.conditions import (
    Rules,
    condition,
    conditions,
    degraded,
    healthy,
    progressing,
    said,
    stale,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object
from fleetmgr.model.objects import GroupKind

_REFUSALS = ("ResolvedRefs", "Accepted")


def _class(live: JsonObject) -> Health:
    accepted = condition(live, "Accepted")
    if stale(accepted, live):
        return progressing("waits for its controller")
    match accepted.get("status"):
        case "True":
            return healthy(said(accepted))
        case "False":
            return degraded(said(accepted))
        case _:
            return progressing(said(accepted, "waits for its controller"))


def _verdict(found: Iterable[JsonObject], who: str) -> Health | None:
    """What a set of conditions objects to: first refusals, then what is not programmed."""
    listed = list(found)
    for kind in _REFUSALS:
        for item in listed:
            if item.get("type") == kind and item.get("status") == "False":
                return degraded(f"{who}{said(item, f'{kind} is False')}")
    for item in listed:
        if item.get("type") == "Programmed" and item.get("status") != "True":
            return progressing(f"{who}{said(item, 'is not programmed')}")
    return None


def _gateway(live: JsonObject) -> Health:
    verdict = _verdict(conditions(live), "")
    if verdict is not None:
        return verdict
    listeners = [item for item in array_at(live, "status", "listeners") if is_object(item)]
    for listener in listeners:
        verdict = _verdict(conditions(listener, "conditions"), f"listener {listener.get('name')}: ")
        if verdict is not None:
            return verdict
    return healthy("") if conditions(live) or listeners else progressing("waits for its controller")


def _route(live: JsonObject) -> Health:
    current = 0
    for parent in array_at(live, "status", "parents"):
        found = conditions(parent, "conditions") if is_object(parent) else []
        if not found or any(stale(item, live) for item in found):
            continue
        current += 1
        verdict = _verdict(found, f"parent {child(parent, 'parentRef', 'name')}: ")
        if verdict is not None:
            return verdict
    return healthy("") if current else progressing("waits for a gateway to take it")


def _tls_policy(live: JsonObject) -> Health:
    accepted = 0
    for ancestor in array_at(live, "status", "ancestors"):
        for item in conditions(ancestor, "conditions") if is_object(ancestor) else []:
            who = f"ancestor {child(ancestor, 'ancestorRef', 'name')}: "
            if stale(item, live):
                return progressing(f"{who}waits for its controller")
            if item.get("type") in _REFUSALS and item.get("status") != "True":
                return degraded(f"{who}{said(item)}")
            accepted += item.get("type") == "Accepted"
    return healthy("") if accepted else progressing("waits for a gateway to take it")


_GROUP = "gateway.networking.k8s.io"
_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
RULES: Rules = {
    GroupKind(_GROUP, "GatewayClass"): _class,
    GroupKind(_GROUP, "Gateway"): _gateway,
    **{GroupKind(_GROUP, kind): _route for kind in _ROUTES},
    GroupKind(_GROUP, "BackendTLSPolicy"): _tls_policy,
}
