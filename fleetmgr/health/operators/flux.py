"""Flux: Kustomization, HelmRelease, sources, image automation, notification.

argo-cd resource_customizations/*.toolkit.fluxcd.io/*/health.lua; Flux's own conditions are kstatus's
(fluxcd.io/flux/components/*/: Ready, Reconciling, Stalled).
"""

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
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind


def _toolkit(live: JsonObject) -> Health:
    if object_at(live, "spec").get("suspend") is True:
        return suspended("is suspended")
    if not conditions(live):
        return healthy("") if _static(live) else progressing("waits for Flux")
    if holds(live, "Stalled"):
        return degraded(said(condition(live, "Stalled")))
    ready = condition(live, "Ready")
    if ready.get("status") == "True":
        return healthy(said(ready))
    working = ready.get("status") == "Unknown" or _policy_at_work(live)
    return progressing(said(ready)) if working else degraded(said(ready, "is not ready"))


def _static(live: JsonObject) -> bool:
    """Kinds that have no status: notification since v1beta3, and Helm repositories that are registries."""
    registry = live.get("kind") == "HelmRepository" and object_at(live, "spec").get("type") == "oci"
    return registry or live.get("kind") in ("Provider", "Alert")


def _policy_at_work(live: JsonObject) -> bool:
    """An ImagePolicy is not ready while it looks for its first image."""
    reconciling = condition(live, "Reconciling")
    busy = reconciling.get("reason") in ("NewGeneration", "AccessingRepository", "ApplyingPolicy")
    return live.get("kind") == "ImagePolicy" and reconciling.get("status") == "True" and busy


RULES: Rules = {GroupKind("kustomize.toolkit.fluxcd.io", "Kustomization"): _toolkit}
OTHERWISE: Rule = _toolkit
