"""``fleet diff``: the plan as unified diffs of YAML."""

from __future__ import annotations

import importlib
from typing import cast

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import (
    adopt_option,
    detailed_exitcode,
    fleet_options,
    force_option,
    progress_option,
    report_options,
)
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Plan
from fleetmgr.operations import plan as operation
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.github_results import diff_workflow
from fleetmgr.reporting.markdown_plan import diff_markdown
from fleetmgr.reporting.unified import diff_data, diff_text


@click.command()
@click.argument("revisions", metavar="[BASE..HEAD]", required=False)
@fleet_options
@adopt_option
@force_option
@detailed_exitcode
@report_options
@progress_option
@click.pass_obj
def diff(invocation: Invocation, *, revisions: str | None, detailed_exitcode: bool) -> ExitCode:
    """Show the plan as unified diffs of objects, live against desired, equal ones once.

    With BASE..HEAD, what two revisions of this repository render is compared instead, and no cluster is asked.
    BASE.. compares with the working tree.

    Values of Secrets are never shown; keys whose value changes are marked.

    \b
    Example:
      fleet diff -c prod-1 --color always | less -R
      fleet diff origin/main..HEAD
    """
    if revisions is not None:
        wired = importlib.import_module("fleetmgr.wiring.revisions")
        found = cast("Plan", wired.compare(invocation.file, revisions, selection(invocation)))
    else:
        walk = open_walk(invocation)
        with shown(invocation) as sink:
            found = operation.plan(walk, selection(invocation), sink)
    verdict = plan_verdict(found, detailed=detailed_exitcode)
    emit(
        invocation,
        Rendering(
            text=lambda paint: diff_text(found, paint=paint),
            data=lambda: diff_data(found, verdict),
            markdown=lambda: diff_markdown(found),
            workflow=lambda: diff_workflow(found),
        ),
    )
    return verdict.exit_code
