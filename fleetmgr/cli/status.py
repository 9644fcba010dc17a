"""``fleet status``: sync and health of every app on every cluster."""

from __future__ import annotations

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import fleet_options, progress_option, report_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.cli.width import terminal_width
from fleetmgr.errors import ExitCode
from fleetmgr.operations import status as operation
from fleetmgr.planner.outcome import status_verdict
from fleetmgr.reporting.github_results import status_workflow
from fleetmgr.reporting.markdown_runs import status_markdown
from fleetmgr.reporting.status import status_data, status_text


@click.command()
@fleet_options
@report_options
@progress_option
@click.pass_obj
def status(invocation: Invocation) -> ExitCode:
    """Show for every app on every cluster whether it is in sync and healthy, and since when.

    The exit code says whether all clusters could be read (4 when some could not), not how they are.

    \b
    Example:
      fleet status -e prod
    """
    walk = open_walk(invocation)
    with shown(invocation) as sink:
        found = operation.status(walk, selection(invocation), sink)
    verdict = status_verdict(found)
    emit(
        invocation,
        Rendering(
            text=lambda paint: status_text(found, paint=paint, width=terminal_width(invocation)),
            data=lambda: status_data(found, verdict),
            markdown=lambda: status_markdown(found),
            workflow=lambda: status_workflow(found),
        ),
    )
    return verdict.exit_code
