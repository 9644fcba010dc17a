"""The rollout of a plan, joined to it where there is anything to say."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.expansion import fleet_rollout
from fleetmgr.model.change import Plan
from fleetmgr.operations.walk import Walk
from fleetmgr.rollout.outlook import outlook
from fleetmgr.rollout.steps import rollout_plan


def paced(walk: Walk, plan: Plan) -> Plan:
    """``plan`` with the steps in which it would be applied and what would stop them now; as it is where everything
    would be done at once and nothing guards it."""
    rollout = rollout_plan(plan, fleet_rollout(walk.loaded))
    return replace(plan, rollout=outlook(rollout, walk.clock.now())) if rollout.guarded else plan
