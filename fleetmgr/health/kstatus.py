"""Kinds without a rule, by the conditions that controllers agreed on: Reconciling, Stalled, Ready, and
observedGeneration.

sigs.k8s.io/cli-utils pkg/kstatus/status (README.md, generic.go), its InProgress being Progressing, Failed Degraded
and Current Healthy. An object without any of these is Healthy once it exists.
"""

from __future__ import annotations

from fleetmgr.health.conditions import HEALTHY, UNSEEN, condition, degraded, progressing, said, stale
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, is_object


def by_conventions(live: JsonObject) -> Health:
    """Health of an object of any kind."""
    status = live.get("status")
    if not is_object(status):
        return HEALTHY
    if stale(status, live):
        return UNSEEN
    stalled = condition(live, "Stalled")
    if stalled.get("status") == "True":
        return degraded(said(stalled, "is stalled"))
    reconciling = condition(live, "Reconciling")
    if reconciling.get("status") == "True":
        return progressing(said(reconciling, "is being reconciled"))
    ready = condition(live, "Ready")
    if stale(ready, live):
        return UNSEEN
    well = not ready or ready.get("status") == "True"
    return HEALTHY if well else progressing(said(ready, "is not ready"))
