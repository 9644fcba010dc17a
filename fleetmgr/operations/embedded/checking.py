"""The health of some apps outside of an apply: one look, or waiting for what an earlier run has written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from fleetmgr.health.rules import has_rule
from fleetmgr.health.worst import worst
from fleetmgr.model.event import EventSink
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.report import AppHealth
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.jobs import goes_by_itself
from fleetmgr.operations.embedded.live import read_live
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.surroundings import Neighbours
from fleetmgr.operations.embedded.wait import Gate, Lookout, Until, object_health
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.stop import Stop

WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.SUSPENDED})


class Awaited(Struct, frozen=True, kw_only=True):
    """How waiting ended; apps that a stop left undecided are not in ``health``."""

    health: tuple[AppHealth, ...]
    timed_out: bool = False

    @property
    def healthy(self) -> bool:
        """Whether every app is."""
        return all(h.status in WELL for h in self.health)


def health_now(scene: Scene, apps: Iterable[str]) -> list[AppHealth]:
    """Reads what the apps desire and judges it. Raises ClusterError."""
    names = tuple(apps)
    wanted = sorted(r.ref for app in names for r in _judged(scene, app))
    live: dict[ObjectKey, JsonObject] = {}
    if wanted:
        discovery = scene.client.discover()
        live = read_live(
            scene.client, discovery, selector=scene.selector, wanted=wanted, members=(), namespaces=()
        )
    return health_in(scene, names, live)


def health_in(scene: Scene, apps: Iterable[str], live: dict[ObjectKey, JsonObject]) -> list[AppHealth]:
    """The health of apps by objects that were read already; only what is not well may cost requests."""
    around = Neighbours(scene.client, scene.discovery, explain=True)
    found: list[AppHealth] = []
    for app in apps:
        objects = object_health(
            _judged(scene, app),
            live,
            finished=goes_by_itself,
            around=around,
            custom=scene.entry.health,
        )
        overall = worst(objects)
        found.append(AppHealth(app=app, status=overall.status, message=overall.message))
    return found


def await_healthy(
    scene: Scene, seconds: Mapping[str, float], *, clock: Clock, stop: Stop, sink: EventSink
) -> Awaited:
    """Wait until every app is Healthy, Degraded, or its seconds are over. Raises ClusterError."""
    gates = {
        app: Gate(app=app, until=Until.HEALTHY, seconds=most, resources=tuple(_judged(scene, app)))
        for app, most in seconds.items()
    }
    health: dict[str, AppHealth] = {}
    timed_out = False
    lookout = Lookout(scene, clock=clock, sink=sink)
    try:
        while gates:
            for app, verdict in lookout.look(gates.values()).items():
                health[app] = verdict.health
                timed_out = timed_out or verdict.timed_out
                del gates[app]
            if stop.is_set():
                break
            if gates:
                lookout.rest()
    finally:
        lookout.close()
    return Awaited(health=tuple(health[app] for app in seconds if app in health), timed_out=timed_out)


def _judged(scene: Scene, app: str) -> list[Resource]:
    rules = scene.entry.health
    return [r for r in scene.resources.values() if r.app == app and has_rule(r.ref.group, r.ref.kind, rules)]
