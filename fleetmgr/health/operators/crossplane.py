"""Crossplane: packages, compositions, and every managed resource of any provider.

argo-cd resource_customizations/_.crossplane.io/_/health.lua, resource_customizations/pkg.crossplane.io/Provider/
health.lua; docs.crossplane.io "Crossplane with Argo CD".
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rule,
    Rules,
    condition,
    degraded,
    fails,
    healthy,
    holds,
    progressing,
    said,
    suspended,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, object_at
from fleetmgr.model.objects import GroupKind

_STATIC = frozenset(
    {
        "Composition",
        "CompositionRevision",
        "DeploymentRuntimeConfig",
        "ClusterProviderConfig",
        "ProviderConfig",
        "ProviderConfigUsage",
        "ControllerConfig",
        "EnvironmentConfig",
    }
)
_GOOD = ("Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy")


def _package(live: JsonObject) -> Health:
    installed, well = condition(live, "Installed"), condition(live, "Healthy")
    if not installed and not well:
        return progressing("waits to be installed")
    for item in (installed, well):
        if item.get("status") == "False":
            return degraded(said(item))
    both = installed.get("status") == well.get("status") == "True"
    return healthy("") if both else degraded(said(well or installed, "is not healthy"))


def _managed(live: JsonObject) -> Health:
    if live.get("kind") in _STATIC and not array_at(live, "status", "conditions"):
        return healthy("")
    for kind in ("LastAsyncOperation", "Synced"):
        if fails(live, kind):
            found = condition(live, kind)
            paused = found.get("reason") == "ReconcilePaused"
            return suspended("its reconciliation is paused") if paused else degraded(said(found))
    if any(holds(live, kind) for kind in _GOOD):
        return healthy("")
    waits = next((condition(live, kind) for kind in _GOOD if condition(live, kind)), object_at(live, "none"))
    return progressing(said(waits, "is being provisioned"))


_PACKAGES = ("Provider", "Configuration", "Function")
RULES: Rules = {GroupKind("pkg.crossplane.io", kind): _package for kind in _PACKAGES}
OTHERWISE: Rule = _managed
