"""The same change on several clusters, so that people read it once."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.model.change import Change, Plan, Refusal
from fleetmgr.model.objects import ObjectRef


class ChangeGroup(Struct, frozen=True, kw_only=True):
    """``change`` stands for all of them; ``clusters`` in plan order, at least one."""

    change: Change
    clusters: tuple[str, ...]


class RefusalGroup(Struct, frozen=True, kw_only=True):
    """The same refusal on several clusters; ``objects`` are those of the first."""

    problem: Problem
    clusters: tuple[str, ...]
    objects: tuple[ObjectRef, ...]


def same_refusals(plan: Plan) -> tuple[RefusalGroup, ...]:
    """What an apply of ``plan`` would be refused for, each distinct reason once."""
    found: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in plan.refusals:
        found.setdefault((refusal.problem.code, refusal.problem.message), []).append(refusal)
    return tuple(
        RefusalGroup(
            problem=group[0].problem, clusters=tuple(r.cluster for r in group), objects=group[0].objects
        )
        for group in found.values()
    )
