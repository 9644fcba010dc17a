"""``fleet explain --waiting``: what every app of the selection waits for now, or would wait for. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from fleetmgr.engine.held_up import AppNow, held_up
from fleetmgr.engine.hooks import is_run_of
from fleetmgr.engine.lease import looks_abandoned
from fleetmgr.engine.waiting import order_of
from fleetmgr.errors import FleetError
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.expansion import fleet_rollout
from fleetmgr.health.rules import health_of
from fleetmgr.health.worst import worst
from fleetmgr.model.change import Change, ClusterFailure, ClusterPlan, Op, Plan
from fleetmgr.model.event import EventSink
from fleetmgr.model.health import Health
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.ordering import Phase
from fleetmgr.model.rollout import RolloutPlan
from fleetmgr.model.selection import Selection
from fleetmgr.model.waiting import (
    AppWaiting,
    ClusterWaiting,
    FleetWaiting,
    Wait,
    WaitKind,
    WaitState,
    worst_wait,
)
from fleetmgr.operations.embedded.hook_plan import attempt
from fleetmgr.operations.embedded.lease import described, read_entry
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.plan import plan
from fleetmgr.operations.rollouts.memory import Heard, ask_all
from fleetmgr.operations.rollouts.remembered import shelves_of
from fleetmgr.operations.status import app_health
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.clock import Clock
from fleetmgr.rollout.outlook import outlook
from fleetmgr.rollout.record import RolloutRecord, merged
from fleetmgr.rollout.state import Instant
from fleetmgr.rollout.steps import rollout_plan
from fleetmgr.rollout.waits import planned_waits, remembered_wait


def waiting(walk: Walk, selection: Selection, sink: EventSink, *, only: str | None = None) -> FleetWaiting:
    """What the selected apps, and those that they depend on, wait for on the selected clusters, as an apply of these
    clusters would meet it. ``only``: told of this cluster alone, still as an apply of the whole selection would meet
    it. Raises as ``plan`` does.
    """
    selected_clusters(walk.loaded, selection if only is None else replace(selection, clusters=(only,)))
    made = plan(walk, replace(selection, apps=()), sink)
    steps = outlook(rollout_plan(made, fleet_rollout(walk.loaded)), walk.clock.now())
    heard = ask_all(shelves_of(walk, made), lambda _, shelf: shelf.all())
    rollouts = [record for record in merged(heard.copies()).values() if not record.over]
    apps = frozenset(selection.apps)

    def one(part: ClusterPlan) -> ClusterWaiting:
        return _cluster(walk, made, part, steps, rollouts, heard=heard, apps=apps)

    with ThreadPoolExecutor(max_workers=max(1, walk.parallel)) as pool:
        found = tuple(pool.map(one, (p for p in made.clusters if only in (None, p.cluster))))
    return FleetWaiting(
        fleet=made.fleet,
        revision=made.revision,
        at=walk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        clusters=found,
    )


def _cluster(  # noqa: PLR0913 - everything that a cluster may wait for
    walk: Walk,
    made: Plan,
    part: ClusterPlan,
    steps: RolloutPlan,
    rollouts: list[RolloutRecord],
    *,
    heard: Heard,
    apps: frozenset[str],
) -> ClusterWaiting:
    found = ClusterWaiting(cluster=part.cluster, environment=part.environment, failure=part.failure)
    if part.failure is not None:
        return found
    scene = walk.scenes[part.cluster]
    notes: list[str] = []
    try:
        held = _with_needed(_apps(scene, part.changes), apps)
    except FleetError as error:
        return replace(found, failure=ClusterFailure(problem=error.problem(), exit_code=error.exit_code))
    if part.cluster in heard.failures:
        notes.append(f"its rollouts cannot be read: {heard.failures[part.cluster].message}")
    now = Instant(monotonic=walk.clock.monotonic(), wall=walk.clock.now())
    waits: list[Wait] = []
    if any(app.pending for app in held):
        waits += _lock(scene, walk.clock, notes)
        waits += (
            Wait(
                kind=WaitKind.REFUSAL,
                on=refusal.app or part.cluster,
                state=WaitState.STUCK,
                why=refusal.problem.message,
                hint=refusal.problem.hint or "",
                objects=refusal.objects,
            )
            for refusal in made.refusals
            if refusal.cluster == part.cluster
        )
        waits += planned_waits(steps, part.cluster)
    waits += (wait for r in rollouts if (wait := remembered_wait(r, part.cluster, now)) is not None)
    return replace(
        found,
        state=worst_wait([*(w.state for w in waits), *(app.state for app in held)]),
        waits=tuple(waits),
        apps=tuple(held),
        notes=tuple(notes),
    )


def _apps(scene: Scene, changes: tuple[Change, ...]) -> tuple[AppWaiting, ...]:
    """Apps that are in fleet.yaml; those that leave wait for nothing but their hooks."""
    desired = replace(
        scene.stack, resources=tuple(scene.resources.values()), hooks=tuple(scene.hooks.values())
    )
    now = {app.name: _now(scene, app.name, changes) for app in scene.stack.apps}
    return held_up(order_of(desired), now)


def _with_needed(found: tuple[AppWaiting, ...], apps: frozenset[str]) -> list[AppWaiting]:
    """The selected ones (none = all) and what they depend on, however far; dependencies come first."""
    wanted = set(apps)
    for app in reversed(found):
        if app.app in wanted:
            wanted |= set(app.order.after)
    return [app for app in found if not apps or app.app in wanted]


def _now(scene: Scene, app: str, changes: tuple[Change, ...]) -> AppNow:
    own = tuple(c for c in changes if c.app == app and c.op is not Op.KEEP)
    objects = tuple(app_health(scene, app))
    return AppNow(changes=own, health=worst(objects), objects=objects, runs=_runs(scene, app, own))


def _runs(scene: Scene, app: str, changes: tuple[Change, ...]) -> Mapping[tuple[str, ObjectKey], Health]:
    """Hooks that are due and that an apply which was stopped, or still goes on, has left on the cluster."""
    found: dict[tuple[str, ObjectKey], Health] = {}
    for change in changes:
        hook, served = scene.hooks.get(change.ref.key), scene.discovery.find(*change.ref[:3])
        if change.hook is None or hook is None or served is None:
            continue
        live = scene.client.get(served, namespace=change.ref.namespace, name=change.ref.name)
        phase = Phase(change.hook.phase)
        if live is not None and is_run_of(live, hook, phase, attempt(scene, app)):
            found[phase.value, change.ref.key] = health_of(live, scene.entry.health)
    return found


def _lock(scene: Scene, clock: Clock, notes: list[str]) -> list[Wait]:
    try:
        lease = read_entry(scene.client, scene.entry)
    except FleetError as error:
        notes.append(f"its lock cannot be read: {error.message}")
        return []
    if lease is None or not lease.identity:
        return []
    silent = looks_abandoned(lease, clock.now())
    return [
        Wait(
            kind=WaitKind.LOCK,
            on=lease.holder.actor if lease.holder is not None else lease.identity,
            state=WaitState.WAITING,
            why=f"{described(lease)} applies here{'; it seems to be gone' if silent else ''}",
            hint=f"`fleet unlock {scene.entry.cluster}`"
            if silent
            else "`fleet apply --lock-timeout` waits for it",
        )
    ]
