"""``fleet validate``: is this fleet one that a run may use?"""

from __future__ import annotations

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, report_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.errors import ExitCode
from fleetmgr.operations import validate as operation
from fleetmgr.reporting.github_results import validation_workflow
from fleetmgr.reporting.markdown_runs import validation_markdown
from fleetmgr.reporting.validation import validation_data, validation_text
from fleetmgr.wiring.machine import SystemClock
from fleetmgr.wiring.offline import render_all


@click.command()
@file_option
@report_options
@click.pass_obj
def validate(invocation: Invocation) -> ExitCode:
    """Check fleet.yaml, its included files, overlays and manifests, offline: every problem at once.

    The exit code is 0 when the fleet is valid, 1 when it is not.

    \b
    Example:
      fleet validate
      fleet validate -f shop/fleet.yaml -o json
    """
    found = operation.validate(invocation.file, render_all, at=SystemClock().now())
    emit(
        invocation,
        Rendering(
            text=lambda paint: validation_text(found, paint=paint),
            data=lambda: validation_data(found),
            markdown=lambda: validation_markdown(found),
            workflow=lambda: validation_workflow(found),
        ),
    )
    return ExitCode.OK if found.valid else ExitCode.FAILED
