"""``fleet status``: every app on every cluster: is it as desired, is it Healthy, since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetmgr.errors import FleetError
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.health.worst import worst
from fleetmgr.model.change import Change, ClusterFailure, Op
from fleetmgr.model.event import EventSink
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.report import ClusterState, FleetStatus, ObjectHealth, SyncStatus, TargetStatus
from fleetmgr.model.resource import Stack
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.jobs import finished_earlier
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.surroundings import Neighbours
from fleetmgr.operations.embedded.wait import object_health
from fleetmgr.operations.plan import scene_of
from fleetmgr.operations.render import render
from fleetmgr.operations.revision import revision_of
from fleetmgr.operations.status_facts import images_of, since_of
from fleetmgr.operations.walk import Walk

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster


def status(walk: Walk, selection: Selection, sink: EventSink) -> FleetStatus:
    """The state of every selected cluster; raises as ``plan`` does."""
    del sink  # reading is quick; nothing to tell in between
    chosen = selected_clusters(walk.loaded, selection)
    stacks = list(render(walk.loaded, walk.fetcher, chosen))
    apps = frozenset(selection.apps) or None

    def one(pair: tuple[Cluster, Stack]) -> ClusterState:
        return _state(walk, pair[0], pair[1], apps)

    states = across(one, list(zip(chosen, stacks, strict=True)), parallel=walk.parallel, stop=walk.stop)
    return FleetStatus(
        fleet=walk.loaded.fleet.name,
        revision=revision_of(walk.repository),
        clusters=tuple(states),
        at=walk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _state(walk: Walk, cluster: Cluster, stack: Stack, apps: frozenset[str] | None) -> ClusterState:
    try:
        scene = scene_of(walk, cluster, stack, apps)
        changes = preview(scene).changes
        version = scene.client.version()
    except FleetError as error:
        failure = ClusterFailure(problem=error.problem(), exit_code=error.exit_code)
        return ClusterState(
            cluster=cluster.name, environment=cluster.environment, version=None, failure=failure
        )
    order = [a.name for a in stack.apps if a.name in scene.apps]
    removed = sorted(scene.apps - set(order))
    return ClusterState(
        cluster=cluster.name,
        environment=cluster.environment,
        version=version,
        targets=tuple(_target(scene, app, changes) for app in (*order, *removed)),
    )


def _target(scene: Scene, app: str, changes: tuple[Change, ...]) -> TargetStatus:
    own = [c for c in changes if c.app == app and not (c.replacement and c.replacement.every_apply)]
    resources = [r for r in scene.resources.values() if r.app == app]
    objects = app_health(scene, app)
    record = scene.record(app)
    health = worst(objects)
    live = [scene.live[r.ref.key] for r in resources if r.ref.key in scene.live]
    since = since_of(objects, scene.live, health.status)
    if health.status is HealthStatus.HEALTHY and record is not None:
        # a rolling update moves no condition: an apply that changed something knows better
        since = max(since or "", record.healthy_since or "") or None
    return TargetStatus(
        app=app,
        cluster=scene.entry.cluster,
        environment=scene.entry.environment,
        sync=_sync(own),
        health=health,
        pending=sum(c.op.writes for c in own),
        revision=record.revision if record else None,
        applied_at=record.applied_at or None if record else None,
        actor=record.actor or None if record else None,
        objects=tuple(objects),
        images=images_of(live),
        since=since,
        healthy_since=since if health.status is HealthStatus.HEALTHY else None,
        results=record.results if record else (),
    )


def app_health(scene: Scene, app: str) -> list[ObjectHealth]:
    """Health of every desired object of an app as the scene was read. Raises ClusterError."""
    return object_health(
        [r for r in scene.resources.values() if r.app == app],
        scene.live,
        finished=lambda r: finished_earlier(scene, r),
        around=Neighbours(scene.client, scene.discovery),
        custom=scene.entry.health,
    )


def _sync(changes: list[Change]) -> SyncStatus:
    if any(c.op is not Op.KEEP for c in changes):
        return SyncStatus.OUT_OF_SYNC
    return SyncStatus.UNKNOWN if any(c.unverified for c in changes) else SyncStatus.SYNCED
