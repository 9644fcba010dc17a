"""The rollout of a plan: its waves in their order, their limits, and what would stop them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from fleetmgr.model.change import Plan
from fleetmgr.model.enumeration import counted
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.rollout import Obstacle, ObstacleKind, OnFailure, RolloutPlan, Step, Window
from fleetmgr.model.timespan import span
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.table import columns
from fleetmgr.reporting.wording import names

_SHOWN = 4
_MOST = 10
"""Obstacles that people are shown; a thousand clusters may each have a window."""
_AFTER = {
    OnFailure.PAUSE: "then it pauses",
    OnFailure.CONTINUE: "failed clusters are left behind",
    OnFailure.ROLLBACK: "then the wave goes back",
}


def rollout_lines(plan: Plan) -> list[str]:
    """Nothing where all that is to do is done at once and nothing guards it."""
    rollout = plan.rollout
    if rollout is None or not rollout.guarded:
        return []
    shown = [
        step for step in rollout.steps if step.declared or step.clusters or step.failed or step.unreachable
    ]
    rows = [[f"{number}.", visible(step.name), _clusters(step)] for number, step in enumerate(shown, 1)]
    lines = ["Rollout, one after the other:", *columns(rows, indent="  ")]
    for environment, steps in groupby(shown, key=lambda step: step.environment):
        rules = ", ".join(_rules(next(steps)))
        lines += [f"  {visible(environment)}: {rules}"] if rules else []
    lines += [line for obstacle in rollout.obstacles[:_MOST] for line in _obstacle(obstacle)]
    more = len(rollout.obstacles) - _MOST
    return [*lines, f"And {counted(more, 'more obstacle')}: all are in `-o json`."] if more > 0 else lines


def _clusters(step: Step) -> str:
    """``3 clusters: a, b, c; 1 unchanged``."""
    parts = (
        [f"{counted(len(step.clusters), 'cluster')}: {names(step.clusters, limit=_SHOWN)}"]
        if step.clusters
        else []
    )
    parts += [f"{len(step.unchanged)} unchanged"] if step.unchanged else []
    parts += [f"{len(step.unreachable)} unreachable"] if step.unreachable else []
    parts += [f"{len(step.failed)} failed"] if step.failed else []
    return "; ".join(parts) or "no cluster of this plan"


def _rules(step: Step) -> Iterator[str]:
    if step.max_parallel is not None:
        yield f"{step.max_parallel} at a time"
    if step.max_unavailable is not None:
        yield f"at most {max(1, step.max_unavailable)} not healthy"
    if step.soak:
        yield f"healthy for {span(step.soak)} after each wave"
    if step.deadline is not None:
        yield f"at most {span(step.deadline)} a wave"
    if step.declared:
        yield _tolerance(step)


def _tolerance(step: Step) -> str:
    if step.on_failure is OnFailure.CONTINUE:
        return _AFTER[OnFailure.CONTINUE]
    if step.max_failures is None:
        return f"stops after a wave with a failure, {_AFTER[step.on_failure]}"
    if step.max_failures == 0:
        return f"stops at the first failure, {_AFTER[step.on_failure]}"
    return f"tolerates {counted(step.max_failures, 'failure')}, {_AFTER[step.on_failure]}"


def _obstacle(obstacle: Obstacle) -> list[str]:
    step = f"{obstacle.environment} / {obstacle.wave}" if obstacle.wave else obstacle.environment
    if obstacle.kind is not ObstacleKind.WINDOW:
        return [f"Stops ({visible(step)}): {visible(obstacle.why)}"]
    when = "does not open within a year" if obstacle.opens is None else f"opens {opening(obstacle.opens)}"
    held = names(obstacle.clusters, limit=_SHOWN)
    return [f"Closed now ({visible(step)}): {visible(obstacle.why)}", f"  {when}; holds up {held}"]


def opening(at: datetime) -> str:
    """``Mon 2026-11-23 08:00 KST``, in the window's own zone."""
    return at.strftime("%a %Y-%m-%d %H:%M %Z")


def rollout_data(rollout: RolloutPlan) -> JsonObject:
    """``{steps: [...], obstacles: [...]}``; limits that are not set are left out, times are UTC."""
    return {
        "steps": [_step_data(step) for step in rollout.steps],
        "obstacles": [_obstacle_data(obstacle) for obstacle in rollout.obstacles],
    }


def _step_data(step: Step) -> JsonObject:
    limits: JsonObject = {
        "maxParallel": step.max_parallel,
        "maxUnavailable": step.max_unavailable,
        "maxFailures": step.max_failures,
        "deadlineSeconds": step.deadline,
    }
    return {
        "environment": step.environment,
        "wave": step.wave,
        "clusters": list(step.clusters),
        "unchanged": list(step.unchanged),
        "unreachable": list(step.unreachable),
        "failed": list(step.failed),
        "soakSeconds": step.soak,
        "onFailure": step.on_failure.value,
        "windows": [_window_data(window) for window in step.windows],
        **{key: value for key, value in limits.items() if value is not None},
    }


def _window_data(window: Window) -> JsonObject:
    data: JsonObject = {
        "kind": window.kind.value,
        "schedule": window.schedule,
        "durationSeconds": window.duration,
        "timezone": window.timezone,
        "owner": window.owner,
    }
    if window.description:
        data["description"] = window.description
    return data if window.clusters is None else data | {"clusters": list(window.clusters)}


def _obstacle_data(obstacle: Obstacle) -> JsonObject:
    data: JsonObject = {
        "environment": obstacle.environment,
        "wave": obstacle.wave,
        "reason": obstacle.kind.value,
        "message": obstacle.why,
        "clusters": list(obstacle.clusters),
    }
    if obstacle.opens is not None:
        data["opens"] = obstacle.opens.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return data
