"""What every command shows that changes clusters: its plan before, its report after."""

from __future__ import annotations

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import Rendering, echo, emit, github_text, stderr_paint, stdout_paint
from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Plan
from fleetmgr.model.report import Report
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import has_writes, plan_verdict, report_verdict
from fleetmgr.reporting.apply_data import report_data
from fleetmgr.reporting.apply_text import report_text
from fleetmgr.reporting.github import defused
from fleetmgr.reporting.github_results import plan_workflow, report_workflow
from fleetmgr.reporting.markdown_runs import report_markdown
from fleetmgr.reporting.plan_text import plan_text


def show_plan(invocation: Invocation, plan: Plan, *, unchanged: bool) -> None:
    """On standard output when that is for people, else on standard error: the result goes out alone."""
    if invocation.stdout_format == "github":
        echo(github_text(invocation, plan_workflow(plan, same_changes(plan, unchanged=unchanged))))
        return
    aside = invocation.stdout_format != "text"
    paint = stderr_paint(invocation) if aside else stdout_paint(invocation)
    text = plan_text(plan, same_changes(plan, unchanged=unchanged), paint=paint)
    echo(defused(text) if invocation.github.active else text, err=aside)
    if has_writes(plan):
        echo("\n", err=aside)  # the question or the result follows


def show_report(invocation: Invocation, report: Report, plan: Plan) -> ExitCode:
    """The result; for people not when the plan above has said it all: nothing to do, nothing new failed."""
    verdict = report_verdict(report)
    as_planned = not has_writes(plan) and verdict.clusters == plan_verdict(plan).clusters
    if invocation.outputs or not as_planned:
        emit(
            invocation,
            Rendering(
                text=lambda paint: report_text(report, paint=paint),
                data=lambda: report_data(report, verdict),
                markdown=lambda: report_markdown(report),
                workflow=lambda: report_workflow(report),
            ),
        )
    return verdict.exit_code
