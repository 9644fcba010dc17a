"""``fleet unlock``: take the lease of a cluster entry away from a run, on record."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from fleetmgr.errors import FleetError, UsageError, Where
from fleetmgr.model.lease import Lease
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.operations.embedded.lease import read_entry, release_by_hand
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.cluster import ClusterClient
from fleetmgr.ports.cluster_errors import ObjectConflict
from fleetmgr.spec.suggest import suggest


class HolderChanged(FleetError):
    """Between the look at the lease and its release somebody else took it."""

    code: ClassVar[str] = "FLT-8002"


class Held(Struct, frozen=True, kw_only=True):
    """An entry and its lease; ``lease`` None or without holder: nobody applies there."""

    entry: Entry
    client: ClusterClient
    lease: Lease | None

    @property
    def is_held(self) -> bool:
        """Whether there is anything to unlock."""
        return self.lease is not None and bool(self.lease.identity)


def look(walk: Walk, cluster: str) -> Held:
    """The lease of an entry. Raises UsageError for no such entry, and ClusterError."""
    found = next((c for c in walk.loaded.fleet.clusters if c.name == cluster), None)
    if found is None:
        names = [c.name for c in walk.loaded.fleet.clusters]
        raise UsageError(f"no cluster `{cluster}` in this fleet", hint=suggest(cluster, names))
    entry = entry_of(walk.loaded, found)
    client = walk.connector.connect(cluster)
    return Held(entry=entry, client=client, lease=read_entry(client, entry))


def unlock(walk: Walk, held: Held, *, reason: str) -> None:
    """Release exactly the lease that was looked at; who and why stays with it. Raises ClusterError, HolderChanged."""
    if held.lease is None:
        return
    try:
        release_by_hand(held.client, held.entry, held.lease, by=walk.actor, reason=reason, clock=walk.clock)
    except ObjectConflict:
        raise HolderChanged(
            f"the lease on {held.entry.cluster} changed meanwhile: its holder is alive, or another run has it",
            where=Where(cluster=held.entry.cluster),
            hint="look again with: fleet unlock",
        ) from None
