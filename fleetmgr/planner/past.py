"""Runs that went the same on several clusters become one line: people read them once."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.history import History, PastRun
from fleetmgr.model.memory import RunResult


def past_runs(history: History) -> tuple[PastRun, ...]:
    """All runs, newest first. The same means: app, plan, revision, who, how it ended and why, and what it wrote."""
    found: dict[tuple[object, ...], tuple[str, RunResult, list[tuple[str, str]]]] = {}
    for cluster in history.clusters:
        for memory in cluster.apps:
            for run in memory.runs:
                key = (memory.app, *_key(run))
                app, newest, clusters = found.setdefault(key, (memory.app, run, []))
                clusters.append((cluster.cluster, run.at))
                if run.at > newest.at:
                    found[key] = (app, run, clusters)
    runs = [
        PastRun(app=app, run=replace(run), clusters=tuple(clusters)) for app, run, clusters in found.values()
    ]
    runs.sort(key=lambda past: past.app)
    runs.sort(key=lambda past: past.run.at, reverse=True)
    return tuple(runs)


def _key(run: RunResult) -> tuple[object, ...]:
    """A run without a plan id (of an early version) is like no other."""
    which = run.plan_id or run.at
    counts = tuple(sorted(run.counts.items()))
    revisions = (run.revision, run.fleet_revision)
    return which, run.outcome, revisions, run.actor, run.reason, run.dirty_reason, counts
