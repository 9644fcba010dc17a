"""``fleet drift``: what differs on the clusters though nobody changed Git since the last apply."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.change import ClusterPlan, ClusterStatus, Plan
from fleetmgr.model.event import EventSink
from fleetmgr.model.selection import Selection
from fleetmgr.operations.plan import plan
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.build import build


def drift(walk: Walk, selection: Selection, sink: EventSink) -> Plan:
    """The plan, narrowed to drift. A cluster that failed stays as it is."""
    whole = plan(walk, selection, sink)
    narrowed = [_drifted(part) for part in whole.clusters]
    return build(whole.fleet, whole.revision, narrowed, partial=whole.partial)


def _drifted(part: ClusterPlan) -> ClusterPlan:
    if part.failure is not None:
        return part
    changes = tuple(c for c in part.changes if c.drift and c.op.writes)
    status = ClusterStatus.CHANGED if changes else ClusterStatus.UNCHANGED
    return replace(part, changes=changes, status=status)
