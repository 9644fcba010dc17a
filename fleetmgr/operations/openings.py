"""Windows that leave no time for a change: each may be right by itself, so it is said and not refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from fleetmgr.errors import Problem, Where
from fleetmgr.expansion import fleet_rollout
from fleetmgr.expansion.explain import placed_on
from fleetmgr.model.enumeration import listed
from fleetmgr.model.rollout import Window
from fleetmgr.rollout.windows import closed
from fleetmgr.spec import LoadedFleet

NEVER_OPEN = "FLT-1115"


def never_open(loaded: LoadedFleet, at: datetime) -> Iterator[Problem]:
    """A warning for each environment and app of which nothing may be begun within a year from ``at`` (aware), with
    the clusters that this is true of: as an apply would find out."""
    fleet = fleet_rollout(loaded)
    for rollout in fleet.environments:
        clusters = [c.name for c in loaded.fleet.clusters if c.environment == rollout.environment]
        where = loaded.where("environments", rollout.environment, "windows")
        yield from _shut(rollout.windows, clusters, at, where)
    for app in fleet.apps:
        there = set(placed_on(loaded, app.app))
        for rollout in fleet.environments:
            clusters = [
                c.name
                for c in loaded.fleet.clusters
                if c.environment == rollout.environment
                and c.name in there
                and not _never(rollout.windows, c.name, at)
            ]
            where = loaded.where("apps", app.app, "windows")
            yield from _shut((*rollout.windows, *app.windows), clusters, at, where)


def _shut(
    windows: Sequence[Window], clusters: Sequence[str], at: datetime, where: Where | None
) -> Iterator[Problem]:
    """Once for all clusters that are kept closed by the same window."""
    found: dict[str, list[str]] = {}
    for cluster in clusters if windows else ():
        why = _never(windows, cluster, at)
        if why is not None:
            found.setdefault(why, []).append(cluster)
    for why, names in found.items():
        yield Problem(
            message=f"nothing can be begun on {listed(names)} within a year: {why}",
            where=where,
            hint="nothing to do if that is meant; otherwise leave a time that every window of all owners allows",
            code=NEVER_OPEN,
        )


def _never(windows: Sequence[Window], cluster: str, at: datetime) -> str | None:
    binding = tuple(w for w in windows if w.clusters is None or cluster in w.clusters)
    found = closed(binding, cluster, at)
    return found.why if found is not None and found.opens is None else None
