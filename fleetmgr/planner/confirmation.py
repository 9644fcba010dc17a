"""Deletes that wait for somebody: what they are, what becomes of a plan with and without the yes."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from fleetmgr.model.change import Change, ClusterPlan, Confirmation, Op, Plan
from fleetmgr.model.ordering import REMOVAL

_REMOVAL = frozenset(phase.value for phase in REMOVAL)


def waiting(part: ClusterPlan) -> tuple[Change, ...]:
    """Deletes of one cluster that nobody has confirmed."""
    return tuple(c for c in part.changes if c.op is Op.DELETE and c.needs is Confirmation.DELETES)


def confirmed(plan: Plan) -> Plan:
    """``plan`` once somebody has seen and confirmed every delete that waits."""
    return _each(plan, lambda change: replace(change, needs=None))


def withheld(plan: Plan) -> Plan:
    """What is performed of ``plan`` as it is: deletes that wait are left, as orphans that the inventory knows, and
    hooks around the deletion of their apps do not run."""
    left = _each(plan, lambda change: replace(change, op=Op.ORPHANED))
    pairs = zip(plan.clusters, left.clusters, strict=True)
    return replace(
        left, clusters=tuple(_without_hooks(part, {c.app for c in waiting(of)}) for of, part in pairs)
    )


def _without_hooks(part: ClusterPlan, apps: set[str]) -> ClusterPlan:
    kept = tuple(
        c for c in part.changes if c.hook is None or c.app not in apps or c.hook.phase not in _REMOVAL
    )
    return part if len(kept) == len(part.changes) else replace(part, changes=kept)


def _each(plan: Plan, become: Callable[[Change], Change]) -> Plan:
    parts = tuple(_of(part, become) if waiting(part) else part for part in plan.clusters)
    return replace(plan, clusters=parts)


def _of(part: ClusterPlan, become: Callable[[Change], Change]) -> ClusterPlan:
    doomed = {change.ref for change in waiting(part)}
    return replace(part, changes=tuple(become(c) if c.ref in doomed else c for c in part.changes))
