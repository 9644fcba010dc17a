"""Looking at what gates wait for: one look reads everything at once, when a watch rang or after a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from fleetmgr.health.custom import NONE, CustomRules
from fleetmgr.health.rules import has_rule, health_of
from fleetmgr.health.surroundings import Surroundings, in_surroundings
from fleetmgr.health.worst import worst
from fleetmgr.model.event import EventSink, Waiting
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import ObjectKey, ObjectRef
from fleetmgr.model.report import AppHealth, ObjectHealth
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.doorbell import Doorbell
from fleetmgr.operations.embedded.jobs import goes_by_itself
from fleetmgr.operations.embedded.live import read_live
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.surroundings import Neighbours
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import Unreachable

_FIRST_PAUSE = 0.25
_SILENCE = 60.0
"""Seconds that a cluster may not answer while apps are waited for: control planes restart."""
_AT_LEAST = 10.0
"""Seconds after which everything is read again though no watch told of a change."""
_PAUSE = 1.0
"""Seconds between looks; also how long a stop may take to be seen."""
_NEIGHBOURS = 3.0
"""Seconds before pods are asked why a workload is not well, and before they are asked again."""
_HEARTBEAT = 30.0
"""Seconds after which a log says again what is waited for."""
_CARRIED_OVER = 10.0
"""Seconds in which what was Degraded before this run may go on saying so: its controller has yet to look at what was
written. A Deployment keeps ProgressDeadlineExceeded at its new generation until pods of the new template progress."""
_DONE = frozenset({HealthStatus.HEALTHY, HealthStatus.SUSPENDED})


class Until(StrEnum):
    """What a gate waits for."""

    HEALTHY = "healthy"
    COMPLETE = "complete"
    """Hooks: a Job has run to its end, anything else is Healthy (as Argo CD's getOperationPhase)."""
    GONE = "gone"


class Gate(Struct, frozen=True, kw_only=True):
    """Something an app must wait for before it goes on, at most ``seconds`` from now."""

    app: str
    until: Until
    seconds: float
    resources: tuple[Resource, ...] = ()
    leaving: tuple[ObjectRef, ...] = ()
    """For GONE."""


class Verdict(Struct, frozen=True, kw_only=True):
    """How a gate opened, or why it never will."""

    passed: bool
    health: AppHealth
    objects: tuple[ObjectHealth, ...] = ()
    timed_out: bool = False


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


class Lookout:
    """All open gates of one cluster; ``close`` it. Not thread-safe."""

    def __init__(self, scene: Scene, *, clock: Clock, sink: EventSink) -> None:
        """Watches nothing before the first gate is open."""
        self._scene = scene
        self._clock = clock
        self._sink = sink
        self._bell = Doorbell(scene.client, selector=scene.selector, clock=clock)
        self._began = self._answered = clock.monotonic()
        self._until: dict[str, tuple[Gate, float]] = {}
        self._live: dict[ObjectKey, JsonObject] = {}
        self._read_for: frozenset[ObjectRef] = frozenset()
        self._looked = self._began
        self._pause = _FIRST_PAUSE
        self._told: dict[str, tuple[int, str, int]] = {}
        self._asked = 0
        self._around = Neighbours(scene.client, scene.client.discover(), explain=False)

    def close(self) -> None:
        """Watch no longer."""
        self._bell.close()

    def rest(self) -> None:
        """A pause between two looks, longer the longer nothing happens."""
        self._clock.sleep(self._pause)
        self._pause = min(self._pause * 1.5, _PAUSE)

    def look(self, gates: Iterable[Gate]) -> dict[str, Verdict]:
        """The verdicts on those that are decided, by app; an app waits at one gate at a time. A cluster that
        is silent for a moment is waited for as well. Raises ClusterError."""
        now = self._clock.monotonic()
        open_now = list(gates)
        for gate in open_now:
            known = self._until.get(gate.app)
            if known is None or known[0] is not gate:
                self._until[gate.app] = (gate, now + gate.seconds)
                self._pause = _FIRST_PAUSE
        try:
            self._read(open_now)
            self._ask_around()
            verdicts = {gate.app: self._judge(gate) for gate in open_now}
        except Unreachable:
            last = max((self._until[gate.app][1] for gate in open_now), default=now)
            if now >= min(self._answered + _SILENCE, last):
                raise
            self._read_for = frozenset()  # what was seen before says nothing any more
            return {}
        self._answered = self._clock.monotonic()
        return {app: verdict for app, verdict in verdicts.items() if verdict is not None}

    def _read(self, gates: Sequence[Gate]) -> None:
        refs = frozenset(ref for gate in gates for ref in self._refs(gate))
        if not refs:
            return
        now = self._clock.monotonic()
        self._bell.listen(self._kinds(refs))
        rang = self._bell.rang()
        leaving = any(gate.until is Until.GONE for gate in gates)  # others' objects ring no bell
        if rang or leaving or not refs <= self._read_for or now - self._looked >= _AT_LEAST:
            discovery = self._scene.client.discover()
            wanted = sorted(refs)
            selector = self._scene.selector
            self._live = read_live(
                self._scene.client, discovery, selector=selector, wanted=wanted, members=(), namespaces=()
            )
            self._read_for, self._looked = refs, now

    def _refs(self, gate: Gate) -> tuple[ObjectRef, ...]:
        return gate.leaving or tuple(r.ref for r in self._seen(gate))

    def _seen(self, gate: Gate) -> list[Resource]:
        """Objects that must be read: the others are well once they are written."""
        rules = self._scene.entry.health
        return [r for r in gate.resources if has_rule(r.ref.group, r.ref.kind, rules)]

    def _kinds(self, refs: Iterable[ObjectRef]) -> list[ApiResource]:
        discovery = self._scene.client.discover()
        found = (discovery.find(*kind) for kind in sorted({ref[:3] for ref in refs}))
        return [kind for kind in found if kind is not None]

    def _ask_around(self) -> None:
        age = int((self._clock.monotonic() - self._began) // _NEIGHBOURS)
        if age != self._asked:
            client = self._scene.client
            self._around, self._asked = Neighbours(client, client.discover(), explain=age > 0), age

    def _judge(self, gate: Gate) -> Verdict | None:
        objects = self._objects(gate)
        overall = worst(objects)
        health = AppHealth(app=gate.app, status=overall.status, message=overall.message)
        if all(o.health.status in _passing(gate) for o in objects):
            return Verdict(passed=True, health=health, objects=tuple(objects))
        if overall.status is HealthStatus.DEGRADED and not self._carried_over(gate, objects):
            return Verdict(passed=False, health=health, objects=tuple(objects))
        if self._clock.monotonic() >= self._until[gate.app][1]:
            return Verdict(passed=False, health=health, objects=tuple(objects), timed_out=True)
        self._tell(gate, objects, overall.message)
        return None

    def _carried_over(self, gate: Gate, objects: Sequence[ObjectHealth]) -> bool:
        """Whether all that is Degraded says only what it said before this run, and it is early."""
        opened = self._until[gate.app][1] - gate.seconds
        if gate.until is not Until.HEALTHY or self._clock.monotonic() >= opened + _CARRIED_OVER:
            return False
        ill = [o.ref.key for o in objects if o.health.status is HealthStatus.DEGRADED]
        return all(self._says_the_same(key) for key in ill)

    def _says_the_same(self, key: ObjectKey) -> bool:
        before, now = self._scene.live.get(key), self._live.get(key)
        if before is None or now is None:
            return False
        rules = self._scene.entry.health
        health = health_of(now, rules)
        return health.status is HealthStatus.DEGRADED and health == health_of(before, rules)

    def _objects(self, gate: Gate) -> list[ObjectHealth]:
        if gate.until is Until.GONE:
            return [ObjectHealth(ref=ref, health=self._gone(ref)) for ref in gate.leaving]
        seen = self._seen(gate)
        if gate.until is Until.HEALTHY:
            custom = self._scene.entry.health
            # all are written by now, so a Job with a TTL that is not there has finished
            return object_health(
                seen, self._live, finished=goes_by_itself, around=self._around, custom=custom
            )
        return [ObjectHealth(ref=r.ref, health=self._complete(r)) for r in seen]

    def _gone(self, ref: ObjectRef) -> Health:
        live = self._live.get(ref.key)
        if live is None:
            return Health(status=HealthStatus.HEALTHY)
        finalizers = ", ".join(map(str, object_at(live, "metadata").get("finalizers") or ())) or "none"
        message = f"is being deleted (finalizers: {finalizers})"
        return Health(status=HealthStatus.PROGRESSING, message=message)

    def _complete(self, resource: Resource) -> Health:
        """One that is gone is judged by the last that a watch told of it: a TTL may have removed it."""
        live = self._live.get(resource.ref.key) or self._bell.last(resource.ref.key)
        if live is None:
            message = "was deleted before it was seen to complete"
            return Health(status=HealthStatus.DEGRADED, message=message)
        metadata = {k: v for k, v in object_at(live, "metadata").items() if k != "deletionTimestamp"}
        health = health_of({**live, "metadata": metadata}, self._scene.entry.health)
        if resource.ref.key not in self._live and health.status is not HealthStatus.HEALTHY:
            message = f"was deleted while it {health.message or 'ran'}"
            return Health(status=HealthStatus.DEGRADED, message=message)
        return in_surroundings(health, live, self._around)

    def _tell(self, gate: Gate, objects: Sequence[ObjectHealth], message: str) -> None:
        """What is new, and all that still waits at each heartbeat."""
        beat = int((self._clock.monotonic() - self._began) // _HEARTBEAT)
        ready = sum(o.health.status in _passing(gate) for o in objects)
        if self._told.get(gate.app) != (ready, message, beat):
            self._told[gate.app] = (ready, message, beat)
            cluster = self._scene.entry.cluster
            self._sink(
                Waiting(cluster=cluster, app=gate.app, ready=ready, total=len(objects), message=message)
            )


def _passing(gate: Gate) -> frozenset[HealthStatus]:
    """A suspended Job does not hold its app back, but a hook must have run."""
    return _HEALTHY if gate.until is Until.COMPLETE else _DONE


_HEALTHY = frozenset({HealthStatus.HEALTHY})
