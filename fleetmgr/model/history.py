"""What was applied when, by whom, and how it went: from the memory of the clusters."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.memory import RunResult


class AppMemory(Struct, frozen=True, kw_only=True):
    """One app on one cluster; ``runs`` newest first. ``applied_at`` and ``revision`` are of the last good run."""

    app: str
    runs: tuple[RunResult, ...]
    revision: str | None = None
    applied_at: str | None = None
    healthy_since: str | None = None


class ClusterMemory(Struct, frozen=True, kw_only=True):
    """A cluster entry; its apps sorted, those that are gone from fleet.yaml and still remembered too."""

    cluster: str
    environment: str
    apps: tuple[AppMemory, ...] = ()
    failure: ClusterFailure | None = None


class History(Struct, frozen=True, kw_only=True):
    """``fleet history``. ``app`` None = all."""

    fleet: str
    app: str | None
    clusters: tuple[ClusterMemory, ...]


class PastRun(Struct, frozen=True, kw_only=True):
    """One run of one app, with the clusters where it went the same, and when on each. ``run.at`` is the newest."""

    app: str
    run: RunResult
    clusters: tuple[tuple[str, str], ...]
    """(cluster, RFC 3339), in the order of the fleet."""
