"""``fleet drift``: what others changed on the clusters."""

from __future__ import annotations

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import (
    detailed_exitcode,
    engine_option,
    fleet_options,
    progress_option,
    report_options,
    timings_option,
    verify_option,
)
from fleetmgr.cli.output import Rendering, echo, emit, stderr_paint
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode
from fleetmgr.operations import drift as operation
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.drift_text import drift_text
from fleetmgr.reporting.github_results import drift_workflow
from fleetmgr.reporting.markdown_plan import drift_markdown
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.problems import error_text


@click.command()
@fleet_options
@click.option(
    "--remember",
    is_flag=True,
    help="Write down on the clusters when drift was first seen; for jobs that look now and then.",
)
@engine_option
@verify_option
@detailed_exitcode
@report_options
@progress_option
@timings_option
@click.pass_obj
def drift(invocation: Invocation, *, remember: bool, detailed_exitcode: bool) -> ExitCode:
    """Show what differs from the last apply though nobody changed it in the repository, since when, and who did it.

    `fleet apply` heals it, but for what others hold or the server refuses: that is told as well, and
    makes the exit code 1. Nothing is written, but for --remember.

    \b
    Example:
      fleet drift -e prod --detailed-exitcode
    """
    walk = open_walk(invocation)
    with shown(invocation) as sink:
        found = operation.drift(walk, selection(invocation), sink)
    verdict = plan_verdict(found, detailed=detailed_exitcode)
    unwritten = operation.remember(walk, found) if remember else {}
    emit(
        invocation,
        Rendering(
            text=lambda paint: drift_text(found, same_changes(found), paint=paint),
            data=lambda: plan_data(found, verdict, kind="Drift"),
            markdown=lambda: drift_markdown(found, same_changes(found)),
            workflow=lambda: drift_workflow(found, same_changes(found)),
        ),
    )
    for error in unwritten.values():
        echo(error_text(error, paint=stderr_paint(invocation)), err=True)
    return verdict.exit_code or next((error.exit_code for error in unwritten.values()), ExitCode.OK)
