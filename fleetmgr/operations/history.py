"""``fleet history``: reads the memory of the clusters. No source is rendered, no object of an app is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetmgr.engine.inventory import Parent
from fleetmgr.errors import FleetError, UsageError
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.history import AppMemory, ClusterMemory, History
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.entry import meet
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.walk import Walk

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster


def history(walk: Walk, name: str | None, selection: Selection) -> History:
    """What the selected clusters remember; ``name`` is APP or APP@CLUSTER, and may be an app that fleet.yaml no longer
    has. Raises UsageError for a name that neither fleet.yaml nor any cluster knows, and as ``clusters`` does."""
    app, at, cluster = (name or "").partition("@")
    if at and (not cluster or selection.clusters):
        raise UsageError(
            f"{name} names a cluster itself" if cluster else f"{name}: no cluster behind the @",
            hint="write APP@CLUSTER without -c, or APP with -c",
        )
    narrowed = Selection(
        environments=selection.environments,
        clusters=(cluster,) if cluster else selection.clusters,
        selectors=selection.selectors,
    )
    wanted = frozenset(selection.apps) | ({app} if app else frozenset[str]())
    chosen = selected_clusters(walk.loaded, narrowed)

    def one(entry: Cluster) -> ClusterMemory:
        return _memory(walk, entry, wanted)

    memories = across(one, chosen, parallel=walk.parallel, stop=walk.stop)
    _expect(walk, wanted, memories)
    return History(fleet=walk.loaded.fleet.name, app=app or None, clusters=tuple(memories))


def _memory(walk: Walk, cluster: Cluster, wanted: frozenset[str]) -> ClusterMemory:
    try:
        contact = meet(walk.connector.connect(cluster.name), entry_of(walk.loaded, cluster))
    except FleetError as error:
        failure = ClusterFailure(problem=error.problem(), exit_code=error.exit_code)
        return ClusterMemory(cluster=cluster.name, environment=cluster.environment, failure=failure)
    apps = [_app(parent) for app, parent in sorted(contact.parents.items()) if not wanted or app in wanted]
    return ClusterMemory(cluster=cluster.name, environment=cluster.environment, apps=tuple(apps))


def _app(parent: Parent) -> AppMemory:
    record = parent.record
    if record is None:
        return AppMemory(app=parent.app, runs=())
    return AppMemory(
        app=parent.app,
        runs=record.results,
        revision=record.revision,
        applied_at=record.applied_at or None,
        healthy_since=record.healthy_since,
    )


def _expect(walk: Walk, wanted: frozenset[str], memories: list[ClusterMemory]) -> None:
    """A cluster that did not answer may know any app."""
    known = {a.name for a in walk.loaded.fleet.apps} | {a.app for m in memories for a in m.apps}
    unknown = sorted(wanted - known)
    if unknown and all(memory.failure is None for memory in memories):
        raise UsageError(
            f"no app {unknown[0]}: neither in fleet.yaml nor remembered by a cluster",
            hint="`fleet history` without a name shows all that is remembered",
        )
