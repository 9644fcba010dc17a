"""Drift for people: what somebody changed on a cluster, field by field, and who."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fleetmgr.model.change import Change, ClusterStatus, FieldDiff, Op, Plan, Writer
from fleetmgr.model.enumeration import counted
from fleetmgr.model.grouping import ChangeGroup
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_text import short_revision, unverified_lines
from fleetmgr.reporting.problems import failure_lines
from fleetmgr.reporting.redaction import hides
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.values import dotted, shown
from fleetmgr.reporting.wording import names

_NOT_HEALED = frozenset({Op.CONFLICT, Op.DENIED})


def drift_text(plan: Plan, groups: Sequence[ChangeGroup], *, paint: Paint = PLAIN) -> str:
    """``drift on dev-1: Deployment shop/api: spec.replicas 5 instead of 2 (kubectl ...)``, a line a field.

    ``plan`` holds only what drifted; in its diffs ``old`` is live and ``new`` desired.
    """
    lines = [paint("bold", drift_headline(plan))]
    if groups:
        lines.append("")
    for group in groups:
        lines += drift_lines(group, paint)
    for cluster in plan.clusters:
        if cluster.failure is not None:
            head = f"{visible(cluster.cluster)}: {paint('red', cluster.status.value)}"
            lines += [head, *(f"    {text}" for text in failure_lines(cluster.failure, paint))]
    if all(cluster.status is ClusterStatus.UNCHANGED for cluster in plan.clusters):
        unsure = any(change.unverified for cluster in plan.clusters for change in cluster.changes)
        lines.append(no_drift(unsure=unsure))
    lines += unverified_lines(plan)
    return "\n".join(lines) + "\n"


def no_drift(*, unsure: bool) -> str:
    """The sentence for clusters on which nothing is known to have drifted."""
    if unsure:
        return "No drift found; what is unverified may differ."
    return "No drift: every cluster is as it was applied."


def drift_lines(group: ChangeGroup, paint: Paint) -> list[str]:
    """One drifted object, a line a field."""
    where = f"{paint('yellow', 'drift')} on {names(group.clusters)}: {visible(group.change.ref.short)}"
    where += "".join(f" [{mark}]" for mark in _marks(group.change))
    return [f"{where}: {text}{_writer(group.change)}" for text in _facts(group.change)]


def _marks(change: Change) -> list[str]:
    """What an apply could not heal, and what was only compared."""
    blocked = [change.op.value] if change.op in _NOT_HEALED else []
    return [*blocked, "unverified"] if change.unverified else blocked


def drift_headline(plan: Plan) -> str:
    """``Drift: 3 clusters, 1 drifted (2 objects), 1 without drift, 1 unreachable``."""
    statuses = Counter(cluster.status for cluster in plan.clusters)
    objects = sum(1 for c in plan.clusters for change in c.changes if change.op is not Op.KEEP)
    parts = [
        f"{statuses[ClusterStatus.CHANGED]} drifted"
        + (f" ({counted(objects, 'object')})" if objects else ""),
        f"{statuses[ClusterStatus.UNCHANGED]} without drift",
        f"{statuses[ClusterStatus.UNREACHABLE]} unreachable",
    ]
    if statuses[ClusterStatus.ERROR]:
        parts.append(f"{statuses[ClusterStatus.ERROR]} failed")
    at = f" (desired: {visible(short_revision(plan.revision))})" if plan.revision else ""
    return f"Drift: {counted(len(plan.clusters), 'cluster')}, {', '.join(parts)}{at}"


def _facts(change: Change) -> list[str]:
    if change.op is Op.CREATE:
        return ["missing"]
    if change.op is Op.DELETE:
        return ["exists, but is not desired"]
    if not change.diff:
        return [visible(change.reason) if change.reason else "differs"]
    return [_fact(change, diff) for diff in change.diff]


def _fact(change: Change, diff: FieldDiff) -> str:
    path = dotted(diff.path)
    if hides(change.ref, diff):
        return f"{path} differs (sensitive)"
    if diff.old is None:
        return f"{path} missing instead of {shown(diff.new)}"
    if diff.new is None:
        return f"{path} {shown(diff.old)} instead of nothing"
    return f"{path} {shown(diff.old)} instead of {shown(diff.new)}"


def _writer(change: Change) -> str:
    """Who did it; for a change of fields also what is known beyond that (flapping)."""
    by = change.drift_by
    writer = change.writer or (_named(by) if by else "")
    known = by is not None and change.drift_since == by.at
    since = f"first seen {visible(change.drift_since)}" if change.drift_since and not known else ""
    said = ", ".join(part for part in (visible(writer), since) if part)
    who = f" ({said})" if said else ""
    more = change.diff and change.reason and not change.unverified
    return f"{who}: {visible(change.reason or '')}" if more else who


def _named(writer: Writer) -> str:
    through = f" through {writer.through}" if writer.through else ""
    return f"{writer.manager}{through} at {writer.at}" if writer.at else f"{writer.manager}{through}"
