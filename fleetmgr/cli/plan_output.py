"""A plan as the result of a command, in every form that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.model.change import Plan
from fleetmgr.model.grouping import ChangeGroup
from fleetmgr.model.verdict import Verdict
from fleetmgr.planner.grouping import same_changes
from fleetmgr.reporting.github_results import plan_workflow
from fleetmgr.reporting.markdown_plan import plan_markdown
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.plan_text import plan_text


def emit_plan(
    invocation: Invocation, plan: Plan, verdict: Verdict, *, unchanged: bool = False, noise: bool = False
) -> None:
    """Write ``plan`` to every output; with ``unchanged`` and ``noise`` also what is no change."""

    def groups() -> Sequence[ChangeGroup]:
        return same_changes(plan, unchanged=unchanged, noise=noise)

    emit(
        invocation,
        Rendering(
            text=lambda paint: plan_text(plan, groups(), paint=paint),
            data=lambda: plan_data(plan, verdict, unchanged=unchanged, noise=noise),
            markdown=lambda: plan_markdown(plan, groups()),
            workflow=lambda: plan_workflow(plan, groups()),
        ),
    )
