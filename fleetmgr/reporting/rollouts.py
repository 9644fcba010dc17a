"""Rollouts as the clusters remember them: a line each, and one in full."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.errors import ExitCode
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.rollout_history import RolloutHistory, RolloutStatus, RolloutView, UnheardCluster
from fleetmgr.model.timespan import span
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import API_VERSION, failure_lines, problem_data
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.table import columns
from fleetmgr.reporting.wording import code_name

_TITLES = ("ID", "STATUS", "REVISION", "BY", "UPDATED", "CLUSTERS")
_STATUS = _TITLES.index("STATUS")
_DONE = ("done", "unchanged")


def rollouts_text(history: RolloutHistory, *, paint: Paint = PLAIN) -> str:
    """Newest first, then who did not answer."""
    if not history.rollouts:
        lines = [f"Fleet {visible(history.fleet)}: no rollouts, as far as is remembered."]
    else:
        rows = [tuple(visible(cell) for cell in _row(view)) for view in history.rollouts]

        def hue(row: int, column: int, text: str) -> str:
            if row == 0:
                return paint("dim", text)
            colour = _colour(history.rollouts[row - 1].status)
            return paint(colour, text) if column == _STATUS else text

        lines = columns([_TITLES, *rows], paint=hue)
    return "\n".join([*lines, *unheard_lines(history.unheard, paint)]) + "\n"


def _row(view: RolloutView) -> tuple[str, ...]:
    total = sum(len(step.clusters) for step in view.steps)
    counts = f"{view.count(*_DONE)} of {total} done"
    revision = short_revision(view.revision) or "-"
    return (view.id, view.status.value, revision, view.actor, view.updated_at, counts)


def _colour(status: RolloutStatus) -> str:
    if status is RolloutStatus.DONE:
        return "green"
    return "yellow" if status in (RolloutStatus.RUNNING, RolloutStatus.PAUSED) else "red"


def rollout_text(view: RolloutView, unheard: Sequence[UnheardCluster], *, paint: Paint = PLAIN) -> str:
    """One rollout with its steps, its clusters and what was asked of it."""
    why = f": {visible(view.why)}" if view.why else ""
    at = f" at {visible(short_revision(view.revision))}" if view.revision else ""
    lines = [
        f"Rollout {visible(view.id)}{at}: {paint(_colour(view.status), view.status.value)}{why}",
        f"  by {visible(view.actor)}, begun {visible(view.started_at)}, last heard of {visible(view.updated_at)}",
    ]
    for step in view.steps:
        name = f"{step.environment} / {step.wave}" if step.wave else step.environment
        soak = f", soak {span(step.soak)}" if step.soak else ""
        lines += ["", f"{visible(name)} ({step.state}{soak})"]
        rows = [(visible(c.cluster), c.phase, visible(c.message)) for c in step.clusters]
        lines += columns(rows, indent="  ") if rows else ["  (no clusters)"]
    asked = [f"  {r.at} {r.kind} by {visible(r.who)}: {visible(r.why)}" for r in view.requests]
    lines += ["", "Asked of it", *asked] if asked else []
    return "\n".join([*lines, *unheard_lines(unheard, paint)]) + "\n"


def unheard_lines(unheard: Sequence[UnheardCluster], paint: Paint = PLAIN) -> list[str]:
    """Who could not be asked, and why."""
    lines: list[str] = []
    for cluster in unheard:
        head = f"{visible(cluster.cluster)}: {paint('red', code_name(cluster.failure.exit_code))}"
        lines += ["", head, *(f"    {text}" for text in failure_lines(cluster.failure, paint))]
    return lines


def rollouts_data(history: RolloutHistory, exit_code: ExitCode) -> JsonObject:
    """Kind ``Rollouts``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Rollouts",
        "fleet": history.fleet,
        "exitCode": int(exit_code),
        "rollouts": [view_data(view) for view in history.rollouts],
        "asked": list(history.asked),
        "unheard": _unheard(history.unheard),
    }


def rollout_data(view: RolloutView, unheard: Sequence[UnheardCluster], exit_code: ExitCode) -> JsonObject:
    """Kind ``Rollout``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Rollout",
        "exitCode": int(exit_code),
        "rollout": view_data(view),
        "unheard": _unheard(unheard),
    }


def _unheard(unheard: Sequence[UnheardCluster]) -> list[JsonObject]:
    return [
        {"name": c.cluster, "environment": c.environment, "error": problem_data(c.failure.problem)}
        for c in unheard
    ]


def view_data(view: RolloutView) -> JsonObject:
    """One rollout."""
    return {
        "id": view.id,
        "planId": view.plan_id,
        "revision": view.revision,
        "actor": view.actor,
        "startedAt": view.started_at,
        "updatedAt": view.updated_at,
        "status": view.status.value,
        "why": view.why,
        "steps": [
            {
                "environment": step.environment,
                "wave": step.wave,
                "state": step.state,
                "soak": step.soak,
                "clusters": [
                    {"name": c.cluster, "phase": c.phase, "message": c.message} for c in step.clusters
                ],
            }
            for step in view.steps
        ],
        "requests": [{"kind": r.kind, "who": r.who, "why": r.why, "at": r.at} for r in view.requests],
    }
