"""Waiting until apps are Healthy, with a deadline on everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from fleetmgr.health.custom import NONE, CustomRules
from fleetmgr.health.rules import has_rule, health_of
from fleetmgr.health.surroundings import Surroundings, in_surroundings
from fleetmgr.health.worst import worst
from fleetmgr.model.event import EventSink, Waiting
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind, ObjectKey, ObjectRef
from fleetmgr.model.report import AppHealth, ObjectHealth
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.doorbell import Doorbell
from fleetmgr.operations.embedded.jobs import goes_by_itself
from fleetmgr.operations.embedded.live import read_live
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.surroundings import Neighbours
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.stop import Stop

_FIRST_PAUSE = 0.25
_AT_LEAST = 10.0
"""Seconds after which everything is read again though no watch told of a change."""
_PAUSE = 1.0
"""Seconds between looks; also how long a stop may take to be seen."""
_NEIGHBOURS = 3.0
"""Seconds before pods are asked why a workload is not well, and before they are asked again."""
_HEARTBEAT = 30.0
"""Seconds after which a log says again what is waited for."""
_DONE = frozenset({HealthStatus.HEALTHY, HealthStatus.SUSPENDED})


class Awaited(Struct, frozen=True, kw_only=True):
    """How waiting ended: ``timed_out`` names the app that was not Healthy in time."""

    health: tuple[AppHealth, ...]
    timed_out: bool = False

    @property
    def healthy(self) -> bool:
        """Whether every app is."""
        return all(h.status in _DONE for h in self.health)


_FINISHED = Health(status=HealthStatus.HEALTHY, message="has finished; its TTL removed it")


def object_health(
    resources: Sequence[Resource],
    live: dict[ObjectKey, JsonObject],
    *,
    finished: Callable[[Resource], bool],
    around: Surroundings,
    custom: CustomRules = NONE,
) -> list[ObjectHealth]:
    """Health of each desired object; ``finished`` says whether one that is not there is a Job that is done.

    ``around`` is asked about objects that are not well by themselves. Raises ClusterError.
    """
    return [
        ObjectHealth(ref=r.ref, health=_judged(r, live.get(r.ref.key), finished, around, custom))
        for r in resources
    ]


def _judged(
    resource: Resource,
    live: JsonObject | None,
    finished: Callable[[Resource], bool],
    around: Surroundings,
    custom: CustomRules,
) -> Health:
    if live is None:
        return _FINISHED if finished(resource) else health_of(None)
    health = health_of(live, custom)
    return health if resource.ref.key.group_kind in custom else in_surroundings(health, live, around)


def await_apps(
    scene: Scene,
    deadlines: dict[str, float],
    *,
    clock: Clock,
    stop: Stop,
    sink: EventSink,
    only: frozenset[GroupKind] | None = None,
) -> Awaited:
    """Watch the kinds that have a rule until every app is Healthy, one is Degraded, or its deadline (monotonic
    seconds by app) passed. ``only`` narrows to some kinds. Raises ClusterError."""
    watched = {app: _watched(scene, app, only) for app in deadlines}
    wanted = [r.ref for resources in watched.values() for r in resources]
    bell = Doorbell(scene.client, _kinds(scene, wanted), selector=scene.selector, clock=clock)
    try:
        return _await(scene, watched, deadlines, bell, clock=clock, stop=stop, sink=sink)
    finally:
        bell.close()


def _await(  # noqa: PLR0913 - what await_apps was given
    scene: Scene,
    watched: dict[str, list[Resource]],
    deadlines: dict[str, float],
    bell: Doorbell,
    *,
    clock: Clock,
    stop: Stop,
    sink: EventSink,
) -> Awaited:
    wanted = [r.ref for resources in watched.values() for r in resources]
    live: dict[ObjectKey, JsonObject] = {}
    looked = clock.monotonic() - _AT_LEAST
    pause = _FIRST_PAUSE
    told: dict[str, tuple[int, str, int]] = {}
    started = clock.monotonic()
    around, asked = Neighbours(scene.client, scene.client.discover(), explain=False), 0
    while True:
        beat = int((clock.monotonic() - started) // _HEARTBEAT)
        age = int((clock.monotonic() - started) // _NEIGHBOURS)
        if age != asked:
            around, asked = Neighbours(scene.client, scene.client.discover(), explain=age > 0), age
        if wanted and (bell.rang() or clock.monotonic() - looked >= _AT_LEAST):
            live, looked = _read(scene, wanted), clock.monotonic()
        health = _look(scene, watched, told, beat, sink, around, live)
        over = [h.app for h in health if h.status not in _DONE and clock.monotonic() >= deadlines[h.app]]
        settled = all(h.status in _DONE or h.status is HealthStatus.DEGRADED for h in health)
        if settled or over or stop.is_set():
            return Awaited(health=tuple(health), timed_out=bool(over) and not settled)
        clock.sleep(pause)
        pause = min(pause * 1.5, _PAUSE)


def _kinds(scene: Scene, wanted: Sequence[ObjectRef]) -> list[ApiResource]:
    discovery = scene.client.discover()
    found = (discovery.find(*kind) for kind in sorted({ref[:3] for ref in wanted}))
    return [kind for kind in found if kind is not None]


def _watched(scene: Scene, app: str, only: frozenset[GroupKind] | None) -> list[Resource]:
    return [
        r
        for r in scene.resources.values()
        if r.app == app
        and has_rule(r.ref.group, r.ref.kind, scene.entry.health)
        and (only is None or r.ref.key.group_kind in only)
    ]


def _look(  # noqa: PLR0913, PLR0917 - what one look needs
    scene: Scene,
    watched: dict[str, list[Resource]],
    told: dict[str, tuple[int, str, int]],
    beat: int,
    sink: EventSink,
    around: Neighbours,
    live: dict[ObjectKey, JsonObject],
) -> list[AppHealth]:
    """One look at everything; tells what is new since ``told``, and all that still waits at each ``beat``."""
    result: list[AppHealth] = []
    for app, resources in watched.items():
        objects = object_health(
            resources, live, finished=goes_by_itself, around=around, custom=scene.entry.health
        )  # all are written by now
        overall: Health = worst(objects)
        ready = sum(o.health.status in _DONE for o in objects)
        if overall.status not in _DONE and told.get(app) != (ready, overall.message, beat):
            told[app] = (ready, overall.message, beat)
            sink(
                Waiting(
                    cluster=scene.entry.cluster,
                    app=app,
                    ready=ready,
                    total=len(objects),
                    message=overall.message,
                )
            )
        result.append(AppHealth(app=app, status=overall.status, message=overall.message))
    return result


def _read(scene: Scene, wanted: list[ObjectRef]) -> dict[ObjectKey, JsonObject]:
    return read_live(
        scene.client,
        scene.client.discover(),
        selector=scene.selector,
        wanted=wanted,
        members=(),
        namespaces=(),
    )
