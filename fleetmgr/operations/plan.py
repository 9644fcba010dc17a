"""``fleet plan``: the walk up to the Plan. Nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.expansion import clusters as selected_clusters
from fleetmgr.model.change import ClusterFailure, ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.event import ClusterFinished, ClusterStarted, EventSink
from fleetmgr.model.resource import Stack
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.commit_guard import RememberingFetcher, uncommitted
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.scene import Scene, read_scene
from fleetmgr.operations.entries import entry_of
from fleetmgr.operations.first_contact import refuse_shared
from fleetmgr.operations.guards import judged
from fleetmgr.operations.pacing import paced
from fleetmgr.operations.render import render
from fleetmgr.operations.revision import revision_of
from fleetmgr.operations.source_lines import at_source_lines
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.build import build
from fleetmgr.ports.cluster_errors import Unreachable

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster


def plan(walk: Walk, selection: Selection, sink: EventSink) -> Plan:
    """The Changes of every selected cluster.

    Raises InvalidInput when the fleet or its sources are wrong (no cluster is asked then) and UsageError for a
    selection that names nothing. A cluster that fails is a ClusterPlan with a failure.
    """
    chosen = selected_clusters(walk.loaded, selection)
    fetcher = RememberingFetcher(walk.fetcher)
    stacks = list(render(walk.loaded, fetcher, chosen))
    apps = frozenset(selection.apps) or None

    def one(pair: tuple[Cluster, Stack]) -> ClusterPlan:
        return _plan_cluster(walk, pair[0], pair[1], apps, sink)

    with ThreadPoolExecutor(max_workers=1) as aside:  # Git is asked while the clusters answer
        revision = aside.submit(revision_of, walk.repository)
        unguarded = aside.submit(uncommitted, walk, selection, chosen, fetcher.artifacts)
        plans = across(one, list(zip(chosen, stacks, strict=True)), parallel=walk.parallel, stop=walk.stop)
    plans = at_source_lines(walk.fetcher, refuse_shared(walk, plans))
    made = build(walk.loaded.fleet.name, revision.result(), plans, partial=not selection.everything)
    made = judged(walk, made)
    return paced(walk, replace(made, refusals=(*unguarded.result(), *made.refusals)))


def _plan_cluster(
    walk: Walk, cluster: Cluster, stack: Stack, apps: frozenset[str] | None, sink: EventSink
) -> ClusterPlan:
    def look() -> ClusterPlan:
        scene = scene_of(walk, cluster, stack, apps)
        result = preview(scene)
        return result if scene.pulumi is None else walk.opinion(walk, scene, result)

    return looked_at(cluster, look, _summary, sink)


def looked_at(
    cluster: Cluster, look: Callable[[], ClusterPlan], summary: Callable[[ClusterPlan], str], sink: EventSink
) -> ClusterPlan:
    """What ``look`` finds of a cluster, told to ``sink``; a cluster that cannot be looked at is a result, too.
    ``summary`` is what is told of one that could."""
    sink(ClusterStarted(cluster=cluster.name, phase="preview"))
    try:
        result = look()
    except FleetError as error:
        result = _failed_plan(cluster, error)
    failure = result.failure
    sink(
        ClusterFinished(
            cluster=cluster.name,
            phase="preview",
            exit_code=failure.exit_code if failure else ExitCode.OK,
            summary=failure.problem.message if failure else summary(result),
        )
    )
    return result


def scene_of(walk: Walk, cluster: Cluster, stack: Stack, apps: frozenset[str] | None) -> Scene:
    """Read one cluster; the walk keeps what was read."""
    client = walk.connector.connect(cluster.name)
    scene = read_scene(
        client, entry_of(walk.loaded, cluster), stack, apps=apps, adopt=walk.adopt, force=walk.force
    )
    scene = replace(
        scene,
        consent=walk.consent,
        verify=walk.verify,
        extra_fields=walk.extra_fields,
        pulumi=walk.stacks(cluster.name),
    )
    walk.scenes[cluster.name] = scene
    return scene


def _failed_plan(cluster: Cluster, error: FleetError) -> ClusterPlan:
    """A cluster that could not be looked at: its own state, never "no changes"."""
    status = ClusterStatus.UNREACHABLE if isinstance(error, Unreachable) else ClusterStatus.ERROR
    return ClusterPlan(
        cluster=cluster.name,
        environment=cluster.environment,
        status=status,
        failure=ClusterFailure(problem=error.problem(), exit_code=error.exit_code),
    )


def _summary(result: ClusterPlan) -> str:
    counts = [(op, sum(c.op is op for c in result.changes)) for op in Op if op is not Op.KEEP]
    return ", ".join(f"{n} {op.value}" for op, n in counts if n) or "no changes"
