"""The selected cluster entries as the engine takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetmgr.health.custom import CustomRules
from fleetmgr.operations.embedded.entry import Entry

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet


def entry_of(loaded: LoadedFleet, cluster: Cluster) -> Entry:
    """The entry, with the entries that share its access on purpose: exactly the same way in."""
    others = frozenset(
        c.name for c in loaded.fleet.clusters if c.name != cluster.name and c.access == cluster.access
    )
    return Entry(
        fleet=loaded.fleet.name,
        cluster=cluster.name,
        environment=cluster.environment,
        identity=cluster.identity,
        shares_with=others,
        health=CustomRules(loaded.fleet.health),
        where=loaded.where("clusters", cluster.name),
    )
