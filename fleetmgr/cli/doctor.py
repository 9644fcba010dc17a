"""``fleet doctor``: may we do what the plan needs, and is everything there?"""

from __future__ import annotations

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import fleet_options, report_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode
from fleetmgr.operations import doctor as operation
from fleetmgr.planner.outcome import diagnosis_verdict
from fleetmgr.reporting.doctor import diagnosis_data, diagnosis_text
from fleetmgr.reporting.github_results import diagnosis_workflow
from fleetmgr.reporting.markdown_runs import diagnosis_markdown
from fleetmgr.wiring import pulumi_tools


@click.command()
@fleet_options
@report_options
@click.option(
    "--install",
    type=click.Choice(["pulumi"]),
    help="Install what is missing with its own installer, below ~/.pulumi, and look at nothing else.",
)
@click.pass_obj
def doctor(invocation: Invocation, install: str | None) -> ExitCode:
    """Ask each cluster whether we may do what the plan needs, per verb and kind.

    \b
    Example:
      fleet doctor -c prod-1
      fleet doctor --install pulumi
    """
    if install is not None:
        found = pulumi_tools.install_pulumi()
    else:
        found = operation.doctor(open_walk(invocation), selection(invocation))
    verdict = diagnosis_verdict(found)
    emit(
        invocation,
        Rendering(
            text=lambda paint: diagnosis_text(found, paint=paint),
            data=lambda: diagnosis_data(found, verdict),
            markdown=lambda: diagnosis_markdown(found),
            workflow=lambda: diagnosis_workflow(found),
        ),
    )
    return verdict.exit_code
