"""``fleet status``: sync and health of every app on every cluster."""

from __future__ import annotations

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import fleet_options, named, progress_option, report_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.cli.width import terminal_width
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.operations import status as operation
from fleetmgr.operations.status_app import status_app
from fleetmgr.planner.outcome import status_verdict
from fleetmgr.reporting.github_results import status_workflow
from fleetmgr.reporting.markdown_runs import status_markdown
from fleetmgr.reporting.status import status_data, status_text
from fleetmgr.reporting.status_app import app_status_data, app_status_text


@click.command()
@click.argument("name", metavar="[APP]", required=False, shell_complete=named("apps"))
@fleet_options
@report_options
@progress_option
@click.pass_obj
def status(invocation: Invocation, *, name: str | None) -> ExitCode:
    """Show apps by clusters: version, whether in sync and healthy, and since when.

    Wide fleets are folded by environment; a narrow terminal gets a list. With APP: that app alone,
    cluster by cluster, with its objects, pods and the latest warnings about them.

    The exit code says whether all clusters could be read (4 when some could not), not how they are.

    \b
    Example:
      fleet status -e prod
      fleet status web
    """
    if name is not None:
        return _of_app(invocation, name)
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


def _of_app(invocation: Invocation, app: str) -> ExitCode:
    if invocation.apps:
        raise UsageError("APP and -a both name an app", hint="give one of them")
    walk = open_walk(invocation)
    with shown(invocation) as sink:
        found = status_app(walk, app, selection(invocation), sink)
    verdict = status_verdict(found.status)
    emit(
        invocation,
        Rendering(
            text=lambda paint: app_status_text(found, paint=paint),
            data=lambda: app_status_data(found, verdict),
            markdown=lambda: status_markdown(found.status),
            workflow=lambda: status_workflow(found.status),
        ),
    )
    return verdict.exit_code
