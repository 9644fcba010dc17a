"""cert-manager: Certificate, Issuer, ClusterIssuer, CertificateRequest, Order, Challenge.

argo-cd resource_customizations/cert-manager.io/{Certificate,Issuer,ClusterIssuer}/health.lua; the ACME states are
those of cert-manager.io/docs/reference/api-docs (OrderStatus, ChallengeStatus).
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rules,
    by_condition,
    by_phase,
    condition,
    degraded,
    healthy,
    holds,
    progressing,
    said,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind

_ready = by_condition("Ready", waiting="waits for cert-manager")


def _certificate(live: JsonObject) -> Health:
    if holds(live, "Issuing"):
        return progressing(said(condition(live, "Issuing"), "is being issued"))
    return _ready(live)


def _request(live: JsonObject) -> Health:
    for kind in ("Denied", "InvalidRequest"):
        if holds(live, kind):
            return degraded(said(condition(live, kind), kind))
    ready = condition(live, "Ready")
    if ready.get("status") == "True":
        return healthy(said(ready))
    failed = ready.get("reason") in ("Failed", "Denied")
    return degraded(said(ready)) if failed else progressing(said(ready, "waits for its certificate"))


_acme = by_phase(
    "status",
    "state",
    good=("valid",),
    bad=("invalid", "errored", "expired"),
    explained=("status", "reason"),
)

RULES: Rules = {
    GroupKind("cert-manager.io", "Certificate"): _certificate,
    GroupKind("cert-manager.io", "Issuer"): _ready,
    GroupKind("cert-manager.io", "ClusterIssuer"): _ready,
    GroupKind("cert-manager.io", "CertificateRequest"): _request,
    GroupKind("acme.cert-manager.io", "Order"): _acme,
    GroupKind("acme.cert-manager.io", "Challenge"): _acme,
}
