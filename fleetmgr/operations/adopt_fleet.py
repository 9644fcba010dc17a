"""``fleet adopt --from-fleet OLD``: a fleet that was renamed takes over what it held under its old name."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.errors import FleetError, Refused, UsageError, Where
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.model.applyset import lease_name
from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.event import EventSink
from fleetmgr.model.fleet_adoption import AdoptedCluster, FleetAdoption
from fleetmgr.model.objects import ref_of
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.entry import Entry, delete_kept
from fleetmgr.operations.embedded.lease import LEASES, acquire, renewed
from fleetmgr.operations.embedded.renaming import Holdings, holdings, take_over
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError, ObjectGone

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster


class UnknownFleet(Refused):
    """The cluster knows no fleet of the old name."""

    code: ClassVar[str] = "FLT-5040"


class Look(Struct, frozen=True, kw_only=True):
    """What there is to take over, for people (``found``) and to do it."""

    found: FleetAdoption
    holdings: dict[str, Holdings]


def look(walk: Walk, old: str, selection: Selection) -> Look:
    """What the selected entries hold under the name ``old``; nothing is written. Raises UsageError."""
    new = walk.loaded.fleet.name
    if old == new:
        raise UsageError(
            f"this fleet is named {new} already", hint="give the name that fleet.yaml had before"
        )
    there: dict[str, Holdings] = {}

    def one(cluster: Cluster) -> AdoptedCluster:
        try:
            found = _holdings(walk, cluster, old)
        except FleetError as error:
            return _failed(cluster, error)
        there[cluster.name] = found
        return AdoptedCluster(
            cluster=cluster.name,
            environment=cluster.environment,
            apps=found.apps,
            left=not found.done,
            objects=tuple(sorted(ref_of(live) for live in (*found.objects.values(), *found.namespaces))),
        )

    chosen = selected_clusters(walk.loaded, selection)
    looked = across(one, chosen, parallel=walk.parallel, stop=walk.stop)
    return Look(found=FleetAdoption(fleet=new, before=old, clusters=tuple(looked)), holdings=there)


def _holdings(walk: Walk, cluster: Cluster, old: str) -> Holdings:
    entry = entry_of(walk.loaded, cluster)
    found = holdings(walk.connector.connect(cluster.name), entry, replace(entry, fleet=old))
    if not found.known:
        raise UnknownFleet(
            f"{cluster.name} knows no fleet {old}",
            where=Where(cluster=cluster.name),
            hint="check the name; a cluster that was never applied to needs no adoption: fleet plan",
        )
    return found


def _failed(cluster: Cluster, error: FleetError) -> AdoptedCluster:
    failure = ClusterFailure(problem=error.problem(), exit_code=error.exit_code)
    return AdoptedCluster(cluster=cluster.name, environment=cluster.environment, failure=failure)


def adopt_fleet(walk: Walk, looked: Look, sink: EventSink) -> FleetAdoption:
    """Take over what ``look`` has found, each entry under the leases of both names. A cluster that fails is a result;
    running again goes on from there."""

    def one(part: AdoptedCluster) -> AdoptedCluster:
        found = looked.holdings.get(part.cluster)
        if found is None or found.done:
            return replace(part, done=part.failure is None)
        try:
            _take_over(walk, found, sink)
        except FleetError as error:
            return replace(part, failure=ClusterFailure(problem=error.problem(), exit_code=error.exit_code))
        return replace(part, done=True)

    clusters = across(one, looked.found.clusters, parallel=walk.parallel, stop=walk.stop)
    return replace(looked.found, clusters=tuple(clusters))


def _take_over(walk: Walk, found: Holdings, sink: EventSink) -> None:
    with ExitStack() as held:
        for entry in (found.before, found.entry):
            _hold(walk, found, entry, held, sink)
        now = walk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        take_over(holdings(found.client, found.entry, found.before), now=now)
    with suppress(ClusterError):
        delete_kept(found.client, LEASES, lease_name(found.before.fleet, found.before.cluster))


def _hold(walk: Walk, found: Holdings, entry: Entry, held: ExitStack, sink: EventSink) -> None:
    """Nobody applies under either name meanwhile; where Leases may not be used, it goes without."""
    if walk.lock is None:
        return
    contact = found.old if entry is found.before else found.new
    floor = max((parent.fence for parent in contact.parents.values()), default=0)
    with suppress(AccessDenied, ObjectGone):
        tenure = acquire(
            found.client,
            entry,
            walk.lock,
            plan_id="",
            floor=floor,
            clock=walk.clock,
            stop=walk.stop,
            sink=sink,
        )
        held.enter_context(renewed(tenure))
