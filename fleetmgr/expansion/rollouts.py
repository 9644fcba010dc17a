"""Fleet -> how changes go through its environments: waves with their clusters, budgets, windows."""

from __future__ import annotations

from fleetmgr.model.rollout import EnvironmentRollout, FleetRollout, Wave
from fleetmgr.spec import LoadedFleet


def fleet_rollout(loaded: LoadedFleet) -> FleetRollout:
    """What fleet.yaml says about rollouts. Raises InvalidInput, as the expansion of any target does."""
    clusters = loaded.fleet.clusters
    return FleetRollout(
        environments=tuple(
            EnvironmentRollout(
                environment=e.name,
                waves=(Wave(name="", clusters=tuple(c.name for c in clusters if c.environment == e.name)),),
            )
            for e in loaded.fleet.environments
        )
    )
