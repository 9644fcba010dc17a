"""Plan and fleet -> the steps of its rollout."""

from __future__ import annotations

from fleetmgr.model.change import Plan
from fleetmgr.model.rollout import FleetRollout, RolloutPlan


def rollout_plan(plan: Plan, fleet: FleetRollout) -> RolloutPlan:
    """The steps of ``plan``: environments in the order of the fleet, waves inside one, clusters as in the plan.

    ``fleet`` is ``expansion.fleet_rollout(loaded)``. Steps without a cluster of the plan are left out only where
    the environment has none at all in it; an empty wave is a step without clusters.
    """
    raise NotImplementedError
