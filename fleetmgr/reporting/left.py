"""Desired fields that are left to others: told beside the changes, as they are none."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.model.change import Change, ClusterPlan, Left, LeftField
from fleetmgr.model.enumeration import counted
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectRef
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.redaction import hides
from fleetmgr.reporting.values import dotted, shown

_WHY = {Left.CONFLICT: "left to", Left.AUTOSCALER: "handed over to"}


def left_count(clusters: Sequence[ClusterPlan]) -> str:
    """``2 fields left to others``; "" when there are none."""
    number = sum(len(change.left) for cluster in clusters for change in cluster.changes)
    return f"{counted(number, 'field')} left to others" if number else ""


def left_lines(change: Change) -> list[str]:
    """``spec.replicas stays 5 (Git: 2): left to kubectl since ...``, a line a field."""
    return [_line(change.ref, left) for left in change.left]


def _line(ref: ObjectRef, left: LeftField) -> str:
    field = left.field
    since = f" since {visible(left.since)}" if left.since else ""
    who = f"{_WHY[left.why]} {visible(left.manager)}{since}"
    if hides(ref, field):
        return f"{dotted(field.path)} stays (sensitive): {who}"
    wanted = "nothing" if field.new is None else shown(field.new)
    return f"{dotted(field.path)} stays {shown(field.old)} (Git: {wanted}): {who}"


def left_data(ref: ObjectRef, left: LeftField) -> JsonObject:
    """One field as plain data."""
    field = left.field
    values: JsonObject = (
        {"sensitive": True} if hides(ref, field) else {"live": field.old, "desired": field.new}
    )
    since: JsonObject = {"since": left.since} if left.since else {}
    return {"path": field.path, **values, "manager": left.manager, "why": left.why.value, **since}
