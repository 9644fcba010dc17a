"""``fleet drift``: what differs on the clusters though nobody changed Git since the last apply."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.errors import FleetError
from fleetmgr.model.change import Change, ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.event import EventSink
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.drift_memory import begun, remember_drift
from fleetmgr.operations.plan import plan
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.build import build


def drift(walk: Walk, selection: Selection, sink: EventSink) -> Plan:
    """The plan, narrowed to drift: also what an apply could not heal, and (kept) what only could not be asked about.
    A cluster that failed stays as it is."""
    whole = plan(replace(walk, whole_opinion=True), selection, sink)
    narrowed = [_drifted(walk, part) for part in whole.clusters]
    return build(whole.fleet, whole.revision, narrowed, partial=whole.partial)


def remember(walk: Walk, found: Plan) -> dict[str, FleetError]:
    """Write down on the clusters since when what ``drift`` has just ``found`` is so; needs the right to write.

    What could not be written, by cluster.
    """
    now = walk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    there = [part for part in found.clusters if part.failure is None]

    def one(part: ClusterPlan) -> FleetError | None:
        scene = walk.scenes[part.cluster]
        try:
            for app in sorted(scene.apps):
                drifted = [c for c in part.changes if c.app == app and is_drifted(c)]
                remember_drift(scene, app, drifted, now=now)
        except FleetError as error:
            return error
        return None

    answers = across(one, there, parallel=walk.parallel, stop=walk.stop)
    return {part.cluster: error for part, error in zip(there, answers, strict=True) if error is not None}


def is_drifted(change: Change) -> bool:
    """Whether an object is known to differ from its last apply though nobody changed Git."""
    return change.drift and change.op is not Op.KEEP


def _drifted(walk: Walk, part: ClusterPlan) -> ClusterPlan:
    if part.failure is not None:
        return part
    scene = walk.scenes[part.cluster]
    changes = tuple(begun(scene, c) for c in part.changes if c.drift and (is_drifted(c) or c.unverified))
    status = ClusterStatus.CHANGED if any(map(is_drifted, changes)) else ClusterStatus.UNCHANGED
    return replace(part, changes=changes, status=status)
