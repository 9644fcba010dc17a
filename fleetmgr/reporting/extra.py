"""Live fields that are not in Git: told below the object that has them."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.model.change import Change, ClusterPlan, ExtraField
from fleetmgr.model.enumeration import counted
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectRef
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.redaction import hides_path
from fleetmgr.reporting.values import dotted, shown

_NOBODY = "nobody applied it: a default, or set by a webhook"


def extra_count(clusters: Sequence[ClusterPlan]) -> list[str]:
    """``Extra: 5 live fields not in Git.``; nothing when there are none."""
    number = sum(len(change.extra) for cluster in clusters for change in cluster.changes)
    return [f"Extra: {counted(number, 'live field')} not in Git."] if number else []


def extra_lines(change: Change) -> list[str]:
    """``spec.x is live and not in Git: 5 (kubectl-edit since ...)``, a line a field."""
    return [_line(change.ref, field) for field in change.extra]


def _line(ref: ObjectRef, field: ExtraField) -> str:
    value = "(sensitive)" if _hidden(ref, field) else shown(field.value)
    since = f" since {visible(field.since)}" if field.since else ""
    who = f"{visible(field.manager)}{since}" if field.manager else _NOBODY
    return f"{dotted(field.path)} is live and not in Git: {value} ({who})"


def extra_data(ref: ObjectRef, field: ExtraField) -> JsonObject:
    """One field as plain data."""
    value: JsonObject = {"sensitive": True} if _hidden(ref, field) else {"value": field.value}
    known: JsonObject = {"manager": field.manager, "since": field.since}
    return {"path": field.path, **value, **{key: text for key, text in known.items() if text}}


def _hidden(ref: ObjectRef, field: ExtraField) -> bool:
    return field.sensitive or hides_path(ref, field.path)
