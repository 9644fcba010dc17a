"""Timings as text and as plain data."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.timings import Requests, Timings
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.table import columns

_SHOWN = 10


def timings_data(timings: Timings) -> JsonObject:
    """The ``timings`` of a document: seconds, to the millisecond."""
    return {
        "seconds": _rounded(timings.seconds),
        "phases": _phases(timings.phases),
        "requests": _requests(timings.requests),
        "clusters": [
            {"name": c.cluster, "phases": _phases(c.phases), "requests": _requests(c.requests)}
            for c in timings.clusters
        ],
    }


def timings_text(timings: Timings) -> str:
    """The phases of the run, its requests, and the clusters that took longest."""
    rows = [["phase", "seconds"], *([name, _seconds(s)] for name, s in timings.phases.items())]
    lines = [*columns([*rows, ["whole run", _seconds(timings.seconds)]]), ""]
    if timings.requests:
        lines += [*columns([["requests", "count", "seconds", "slowest"], *_rows(timings.requests)]), ""]
    longest = sorted(timings.clusters, key=lambda c: (-sum(c.phases.values()), c.cluster))
    if longest:
        shown = [
            [visible(c.cluster), _phase_text(c.phases), _count_text(c.requests)] for c in longest[:_SHOWN]
        ]
        lines += columns([["cluster", "seconds", "requests"], *shown])
        if len(longest) > _SHOWN:
            lines.append(f"and {len(longest) - _SHOWN} clusters that took less")
    return "\n".join(lines).rstrip() + "\n"


def _rows(requests: Requests) -> list[list[str]]:
    return [
        [verb, str(spent.count), _seconds(spent.seconds), _seconds(spent.slowest)]
        for verb, spent in requests.items()
    ]


def _phase_text(phases: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {_seconds(seconds)}" for name, seconds in phases.items())


def _count_text(requests: Requests) -> str:
    return ", ".join(f"{spent.count} {verb}" for verb, spent in requests.items())


def _requests(requests: Requests) -> JsonObject:
    return {
        verb: {"count": s.count, "seconds": _rounded(s.seconds), "slowest": _rounded(s.slowest)}
        for verb, s in requests.items()
    }


def _phases(phases: Mapping[str, float]) -> JsonObject:
    return {name: _rounded(seconds) for name, seconds in phases.items()}


def _rounded(seconds: float) -> float:
    return round(seconds, 3)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
