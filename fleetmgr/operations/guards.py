"""What stands between a plan and its apply: a plan that deletes too much is refused as a whole."""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from fleetmgr.errors import Problem, Refused, Where
from fleetmgr.expansion.limits import limits_of
from fleetmgr.model.change import Op, Plan
from fleetmgr.model.enumeration import listed
from fleetmgr.model.grouping import RefusalGroup, same_refusals
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.budget import refusals


class PlanRefused(Refused):
    """A guard says no to the plan: nothing was written on any cluster."""

    code: ClassVar[str] = "FLT-5002"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Every reason, cluster by cluster."""
        first = problems[0]
        super().__init__(first.message, where=first.where, hint=first.hint)
        self.problems = problems

    def all_problems(self) -> tuple[Problem, ...]:
        """Every reason."""
        return self.problems


def judged(walk: Walk, plan: Plan) -> Plan:
    """``plan`` with what an apply of it would be refused for."""
    losing = {p.cluster for p in plan.clusters if any(c.op in (Op.DELETE, Op.REPLACE) for c in p.changes)}
    if not losing:
        return plan
    limits = {c.name: limits_of(walk.loaded, c) for c in walk.loaded.fleet.clusters if c.name in losing}
    return replace(plan, refusals=refusals(plan, limits, allowed=walk.consent.max_deletes))


def refuse_unsafe(plan: Plan) -> None:
    """Raises PlanRefused (exit 5) where a guard says no."""
    if plan.refusals:
        raise PlanRefused(tuple(_at(group) for group in same_refusals(plan)))


def _at(group: RefusalGroup) -> Problem:
    return replace(group.problem, where=Where(cluster=listed(group.clusters)))
