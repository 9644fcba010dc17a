"""``fleet destroy``: delete what the fleet has on clusters, and forget it there.

The walk is that of a plan of which Git names nothing: ownership is proven, order goes backwards and hooks run as for a
prune. What guards a prune by the way (prune, onRemove, delete budgets) does not ask once more; what is protected stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from fleetmgr.errors import Problem, UsageError, Where
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.expansion import fleet_rollout
from fleetmgr.model.change import ClusterPlan, Op, Plan, Refusal, Verb
from fleetmgr.model.event import ClusterFinished, ClusterStarted, EventSink
from fleetmgr.model.report import ClusterReport, Outcome, Report
from fleetmgr.model.resource import Stack
from fleetmgr.model.rollout import ObstacleKind
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.closing import is_over
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.up import up
from fleetmgr.operations.first_contact import refuse_shared
from fleetmgr.operations.guards import refuse_unsafe
from fleetmgr.operations.plan import looked_at, scene_of
from fleetmgr.operations.render import render
from fleetmgr.operations.revision import revision_of
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.build import build
from fleetmgr.rollout.outlook import outlook
from fleetmgr.rollout.steps import rollout_plan
from fleetmgr.spec.dependencies import dependencies

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet

STILL_NEEDED = "FLT-5052"
WINDOW_CLOSED = "FLT-5053"


def plan_of_destruction(walk: Walk, selection: Selection, sink: EventSink) -> Plan:
    """What would be deleted of the selected apps (all of an entry, also those that fleet.yaml no longer names).

    Sources are read only where apps are selected: what the others desire stays. Raises as ``plan``, and UsageError
    for an app that is nowhere.
    """
    chosen = selected_clusters(walk.loaded, replace(selection, apps=()))
    stacks = _stacks(walk, selection, chosen)
    apps = frozenset(selection.apps) or None

    def one(pair: tuple[Cluster, Stack]) -> ClusterPlan:
        return _plan_cluster(walk, pair[0], pair[1], apps, sink)

    parts = across(one, list(zip(chosen, stacks, strict=True)), parallel=walk.parallel, stop=walk.stop)
    parts = refuse_shared(walk, parts)
    _expect(walk, selection, parts)
    revision = revision_of(walk.repository)
    made = build(walk.loaded.fleet.name, revision, parts, partial=not selection.everything)
    made = replace(made, verb=Verb.DESTROY)
    return replace(made, refusals=(*_needed(walk, made), *_windows(walk, made)))


def destroys_anything(walk: Walk, plan: Plan) -> bool:
    """Whether anything would be deleted or forgotten."""
    scenes = [walk.scenes[part.cluster] for part in plan.clusters if part.failure is None]
    remembered = any(scene.apps & scene.parents.keys() or is_over(scene) for scene in scenes)
    return remembered or any(change.op.writes for part in plan.clusters for change in part.changes)


def destroy(walk: Walk, plan: Plan, sink: EventSink, *, timeout: float | None) -> Report:
    """Perform ``plan``, which this very walk has made, on every cluster that could be looked at, all side by side.

    A cluster that fails is a result. ``timeout`` (seconds) bounds each wait. Raises PlanRefused (exit 5).
    """
    refuse_unsafe(plan)
    options = UpOptions(
        plan_id=plan.id, revision=plan.revision, actor=walk.actor, wait=True, timeout=timeout, lock=walk.lock
    )

    def one(part: ClusterPlan) -> ClusterReport:
        writes = sum(change.op.writes for change in part.changes)
        sink(ClusterStarted(cluster=part.cluster, phase="destroy", objects=writes))
        scene = walk.scenes[part.cluster]
        report = up(scene, part, options, clock=walk.clock, stop=walk.stop, sink=sink)
        sink(
            ClusterFinished(
                cluster=part.cluster, phase="destroy", exit_code=report.exit_code, summary=_summary(report)
            )
        )
        return report

    there = [part for part in plan.clusters if part.failure is None]
    reports = across(one, there, parallel=walk.parallel, stop=walk.stop)
    return Report(
        plan_id=plan.id,
        fleet=plan.fleet,
        revision=plan.revision,
        clusters=tuple(reports),
        partial=plan.partial,
        verb=Verb.DESTROY,
    )


def _summary(report: ClusterReport) -> str:
    if report.failure is not None:
        return report.failure.problem.message
    counts = [(outcome, sum(r.outcome is outcome for r in report.results)) for outcome in Outcome]
    return ", ".join(f"{n} {outcome.value}" for outcome, n in counts if n) or "nothing to delete"


def _stacks(walk: Walk, selection: Selection, clusters: Sequence[Cluster]) -> list[Stack]:
    """What stays desired on each cluster."""
    if not selection.apps:
        fleet = walk.loaded.fleet.name
        return [
            Stack(fleet=fleet, cluster=c.name, environment=c.environment, apps=(), resources=())
            for c in clusters
        ]
    going = frozenset(selection.apps)
    return [
        replace(
            stack,
            apps=tuple(app for app in stack.apps if app.name not in going),
            resources=tuple(r for r in stack.resources if r.app not in going),
            hooks=tuple(hook for hook in stack.hooks if hook.resource.app not in going),
            warnings=(),
        )
        for stack in render(walk.loaded, walk.fetcher, clusters)
    ]


def _plan_cluster(
    walk: Walk, cluster: Cluster, stack: Stack, apps: frozenset[str] | None, sink: EventSink
) -> ClusterPlan:
    def look() -> ClusterPlan:
        scene = scene_of(walk, cluster, stack, apps)
        scene = walk.scenes[cluster.name] = replace(scene, removing=True, formerly=_dependencies(walk.loaded))
        return preview(scene)

    return looked_at(
        cluster, look, lambda found: f"{sum(c.op is Op.DELETE for c in found.changes)} to delete", sink
    )


def _dependencies(loaded: LoadedFleet) -> dict[str, tuple[str, ...]]:
    return {app.name: tuple(d.name for d in dependencies(app)) for app in loaded.fleet.apps}


def _expect(walk: Walk, selection: Selection, parts: Sequence[ClusterPlan]) -> None:
    """A slip in an app's name must not look like an app that has nothing; where a cluster cannot be asked, it may."""
    if any(part.failure is not None for part in parts):
        return
    known = {app.name for app in walk.loaded.fleet.apps}
    known |= {app for part in parts for app in walk.scenes[part.cluster].parents}
    unknown = next((app for app in selection.apps if app not in known), None)
    if unknown is not None:
        raise UsageError(
            f"there is no app `{unknown}`, neither in fleet.yaml nor on the selected clusters",
            hint="see: fleet status",
        )


def _needed(walk: Walk, plan: Plan) -> Iterator[Refusal]:
    """Apps that stay and need one that goes: they would be broken by it."""
    for part in plan.clusters:
        if part.failure is not None:
            continue
        scene = walk.scenes[part.cluster]
        staying = sorted(scene.parents.keys() - scene.apps)
        for app in staying:
            lost = sorted(set(scene.needs(app)) & scene.apps & scene.parents.keys())
            if lost and _has_objects(scene, app):
                message = f"app {app} depends on {', '.join(lost)} and would stay"
                yield _refusal(part.cluster, STILL_NEEDED, message, f"destroy it as well: -a {app}", app)


def _has_objects(scene: Scene, app: str) -> bool:
    record = scene.record(app)
    return record is None or bool(record.objects or record.applied_at)


def _windows(walk: Walk, plan: Plan) -> Iterator[Refusal]:
    """A closed window keeps deletes out as it keeps changes out; nobody waits for it here."""
    if walk.pace.override_windows:
        return
    steps = outlook(rollout_plan(plan, fleet_rollout(walk.loaded)), walk.clock.now())
    for obstacle in steps.obstacles:
        if obstacle.kind is ObstacleKind.WINDOW:
            for cluster in obstacle.clusters:
                yield _refusal(
                    cluster,
                    WINDOW_CLOSED,
                    f"the window is closed: {obstacle.why}",
                    "wait until it opens, or --override-windows REASON",
                )


def _refusal(cluster: str, code: str, message: str, hint: str, app: str | None = None) -> Refusal:
    where = Where(cluster=cluster)
    return Refusal(
        cluster=cluster, app=app, problem=Problem(message=message, where=where, hint=hint, code=code)
    )
