"""KEDA: ScaledObject and ScaledJob (argo-cd resource_customizations/keda.sh/*/health.lua)."""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rules,
    condition,
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


def _scaled_object(live: JsonObject) -> Health:
    if holds(live, "Fallback"):
        return degraded(said(condition(live, "Fallback")))
    return _by_ready(live)


def _scaled_job(live: JsonObject) -> Health:
    ready = condition(live, "Ready")
    return degraded(said(ready)) if ready.get("status") == "Unknown" else _by_ready(live)


def _by_ready(live: JsonObject) -> Health:
    ready = condition(live, "Ready")
    match ready.get("status"):
        case "False":
            return degraded(said(ready))
        case "True" if holds(live, "Paused"):
            return suspended(said(condition(live, "Paused"), "is paused"))
        case "True":
            return healthy(said(ready))
        case _:
            return progressing(said(ready, "waits for KEDA"))


RULES: Rules = {
    GroupKind("keda.sh", "ScaledObject"): _scaled_object,
    GroupKind("keda.sh", "ScaledJob"): _scaled_job,
}
