"""``fleet history``: what was applied when, by whom."""

from __future__ import annotations

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import fleet_options, named, report_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode
from fleetmgr.operations.history import history as operation
from fleetmgr.planner.outcome import settle
from fleetmgr.planner.past import past_runs
from fleetmgr.reporting.history import history_data, history_markdown, history_text, history_workflow


@click.command()
@click.argument("name", metavar="[APP[@CLUSTER]]", required=False, shell_complete=named("apps"))
@fleet_options
@report_options
@click.pass_obj
def history(invocation: Invocation, *, name: str | None) -> ExitCode:
    """Show what was applied when, by whom, at which revision, and how it went: newest first, the same
    on several clusters once.

    The clusters remember the last 10 runs of each app that wrote something or failed; one that failed
    without a write is remembered once for each plan. Apps that have left fleet.yaml are shown while they
    have objects.

    \b
    Example:
      fleet history web
      fleet history web@prod-1 -o json
    """
    walk = open_walk(invocation)
    found = operation(walk, name, selection(invocation))
    runs = past_runs(found)
    verdict = settle(
        {c.cluster: c.failure.exit_code if c.failure else ExitCode.OK for c in found.clusters},
    )
    emit(
        invocation,
        Rendering(
            text=lambda paint: history_text(found, runs, paint=paint),
            data=lambda: history_data(found, runs, verdict),
            markdown=lambda: history_markdown(found, runs),
            workflow=lambda: history_workflow(found, runs),
        ),
    )
    return verdict.exit_code
