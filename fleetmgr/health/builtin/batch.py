"""Job and CronJob.

Argo CD's rules (gitops-engine/pkg/health/health_job.go, resource_customizations/batch/CronJob/health.lua) with two
faults fixed: a Job that was resumed and runs again is Progressing, not Healthy; a suspended CronJob is Suspended
(argo-cd#24428).
"""

from __future__ import annotations

from datetime import datetime

from fleetmgr.health.conditions import (
    HEALTHY,
    Rules,
    condition,
    degraded,
    healthy,
    holds,
    progressing,
    said,
    suspended,
    text,
)
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, object_at
from fleetmgr.model.objects import GroupKind


def _job(live: JsonObject) -> Health:
    failed = condition(live, "Failed")
    if failed.get("status") == "True":
        return degraded(f"failed: {said(failed)}")
    if holds(live, "Complete"):
        return HEALTHY
    if holds(live, "Suspended"):
        return suspended(said(condition(live, "Suspended"), "is suspended"))
    if object_at(live, "spec").get("suspend"):
        return suspended("is suspended")
    target = condition(live, "FailureTarget")
    if target.get("status") == "True":
        return progressing(f"is failing: {said(target)}")
    return progressing("is running")


def _cron_job(live: JsonObject) -> Health:
    if object_at(live, "spec").get("suspend"):
        return suspended("is suspended")
    if "status" not in live:
        return progressing("has no status yet")
    scheduled, succeeded = (
        text(live, "status", "lastScheduleTime"),
        text(live, "status", "lastSuccessfulTime"),
    )
    if not scheduled or not succeeded:
        return healthy("has not completed a run yet" if scheduled else "has not been scheduled yet")
    if array_at(live, "status", "active"):
        return healthy("is running")
    failed = _time(succeeded) < _time(scheduled)
    return degraded(f"the run of {scheduled} did not complete successfully") if failed else HEALTHY


def _time(written: str) -> datetime:
    """RFC 3339 as Kubernetes writes it; an unreadable time counts as the oldest."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return datetime.fromisoformat("0001-01-01T00:00:00+00:00")


RULES: Rules = {GroupKind("batch", "Job"): _job, GroupKind("batch", "CronJob"): _cron_job}
