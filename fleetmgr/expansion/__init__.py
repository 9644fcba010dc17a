"""Fleet -> Targets: selectors x clusters x apps with every layer folded in. Pure, sorted, no I/O."""

from fleetmgr.expansion.engines import engine_of
from fleetmgr.expansion.rollouts import fleet_rollout
from fleetmgr.expansion.select import clusters, expand, expand_cluster

__all__ = ["clusters", "engine_of", "expand", "expand_cluster", "fleet_rollout"]
