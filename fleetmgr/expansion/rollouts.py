"""What the expansion of a fleet says about rollouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetmgr.expansion.expand import expansion_of
from fleetmgr.model.rollout import FleetRollout

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet


def fleet_rollout(loaded: LoadedFleet) -> FleetRollout:
    """Waves, budgets and windows, environments in promotion order. Raises InvalidInput with all problems."""
    return expansion_of(loaded).rollout
