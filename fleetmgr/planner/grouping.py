"""Identical changes on several clusters become one group: people read them once."""

from __future__ import annotations

import json

from fleetmgr.model.change import Change, Op, Plan
from fleetmgr.model.grouping import ChangeGroup

_ALONE = frozenset({Op.CREATE, Op.DELETE, Op.HOOK, Op.KEEP})
"""Shown in one line without fields, so that differing contents do not matter."""


def same_changes(plan: Plan, *, unchanged: bool = False, noise: bool = False) -> tuple[ChangeGroup, ...]:
    """The changes of ``plan`` by (app, object), each with the clusters where it is the same.

    Same means: app, op, object, field diffs, reason, marks and what is left to others. ``keep`` only with
    ``unchanged``, where something is left to others or extra, or as ``noise``.
    """
    found: dict[str, tuple[Change, list[str]]] = {}
    for cluster in plan.clusters:
        for change in cluster.changes:
            told = unchanged or change.left or change.extra or (noise and change.noise is not None)
            if change.op is Op.KEEP and not told:
                continue
            found.setdefault(_key(change), (change, []))[1].append(cluster.cluster)
    groups = [ChangeGroup(change=change, clusters=tuple(clusters)) for change, clusters in found.values()]
    position = {cluster.cluster: number for number, cluster in enumerate(plan.clusters)}
    groups.sort(key=lambda g: (g.change.app, g.change.ref, position[g.clusters[0]], g.change.op))
    return tuple(groups)


def _key(change: Change) -> str:
    alone = change.op in _ALONE and change.noise is None
    fields = [] if alone else [[d.path, d.old, d.new, d.sensitive] for d in change.diff]
    marks = [
        change.forced,
        change.reason,
        change.unverified,
        change.noise,
        change.drift,
        change.needs,
        change.writer if change.drift else None,
        change.drift_since,
        [change.drift_by.manager, change.drift_by.through, change.drift_by.at] if change.drift_by else None,
    ]
    left = [[x.field.path, x.field.old, x.field.new, x.manager, x.why] for x in change.left]
    extra = [[x.path, x.value, x.manager] for x in change.extra]
    said = [change.app, change.op.value, list(change.ref), fields, marks, left, extra]
    return json.dumps(said, sort_keys=True)
