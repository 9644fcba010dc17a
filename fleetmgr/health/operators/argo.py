"""Argo Rollouts, Workflows, Events and Argo CD itself: Rollout, AnalysisRun, Experiment, Workflow, CronWorkflow,
EventBus, Application, ApplicationSet.

argo-cd resource_customizations/argoproj.io/*/health.lua and gitops-engine/pkg/health/health_argo.go. An Application
is as healthy as Argo CD says that it is, which Argo CD itself stopped looking at in 1.8.
"""

from __future__ import annotations

from fleetmgr.health.conditions import (
    Rules,
    by_condition,
    by_phase,
    condition,
    degraded,
    fails,
    healthy,
    holds,
    progressing,
    said,
    suspended,
    text,
)
from fleetmgr.health.operators.argo_rollouts import rollout
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, child
from fleetmgr.model.objects import GroupKind

_STATUSES = frozenset(status.value for status in HealthStatus)
_run = by_phase(
    "status",
    "phase",
    good=("Successful",),
    bad=("Failed", "Error"),
    undecided=("Inconclusive",),
    explained=("status", "message"),
)
_workflow_phase = by_phase(
    "status", "phase", good=("Succeeded",), bad=("Failed", "Error"), explained=("status", "message")
)


def _workflow(live: JsonObject) -> Health:
    running = text(live, "status", "phase") in ("", "Pending", "Running")
    if running and child(live, "spec", "suspend") is True:
        return suspended("is suspended")
    return _workflow_phase(live)


def _cron_workflow(live: JsonObject) -> Health:
    for kind in ("SpecError", "SubmissionError"):
        if holds(live, kind):
            return degraded(said(condition(live, kind), kind))
    return suspended("is suspended") if child(live, "spec", "suspend") is True else healthy("")


def _application(live: JsonObject) -> Health:
    status = text(live, "status", "health", "status")
    if not status:
        return progressing("waits for Argo CD")
    message = text(live, "status", "health", "message")
    known = HealthStatus(status) if status in _STATUSES else HealthStatus.UNKNOWN
    return Health(status=known, message=message or ("" if known is HealthStatus.HEALTHY else f"is {status}"))


def _application_set(live: JsonObject) -> Health:
    if holds(live, "ErrorOccurred"):
        return degraded(said(condition(live, "ErrorOccurred")))
    current = condition(live, "ResourcesUpToDate")
    if fails(live, "ResourcesUpToDate"):
        return degraded(said(current))
    if holds(live, "RolloutProgressing"):
        return progressing(said(condition(live, "RolloutProgressing")))
    return healthy(said(current)) if holds(live, "ResourcesUpToDate") else progressing("waits for Argo CD")


RULES: Rules = {
    GroupKind("argoproj.io", "Rollout"): rollout,
    GroupKind("argoproj.io", "AnalysisRun"): _run,
    GroupKind("argoproj.io", "Experiment"): _run,
    GroupKind("argoproj.io", "Workflow"): _workflow,
    GroupKind("argoproj.io", "CronWorkflow"): _cron_workflow,
    GroupKind("argoproj.io", "EventBus"): by_condition("Deployed", waiting="waits to be deployed"),
    GroupKind("argoproj.io", "Application"): _application,
    GroupKind("argoproj.io", "ApplicationSet"): _application_set,
}
