"""``fleet plan``: what the fleet would become."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import (
    adopt_option,
    consent_options,
    detailed_exitcode,
    engine_option,
    extra_fields_option,
    fleet_options,
    force_option,
    progress_option,
    report_options,
    show_unchanged,
    timings_option,
    verify_option,
)
from fleetmgr.cli.plan_output import emit_plan
from fleetmgr.cli.progress import shown
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Plan
from fleetmgr.operations import plan as operation
from fleetmgr.planner.outcome import plan_verdict


@click.command()
@fleet_options
@adopt_option
@consent_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the plan, for fleet show and fleet apply FILE; compressed where FILE ends with .gz.",
)
@force_option
@engine_option
@verify_option
@extra_fields_option
@detailed_exitcode
@show_unchanged
@click.option(
    "--show-noise",
    is_flag=True,
    help="List objects that differ only by what the server or a webhook sets or stores in another form.",
)
@report_options
@progress_option
@timings_option
@click.pass_obj
def plan(
    invocation: Invocation,
    *,
    out: Path | None,
    detailed_exitcode: bool,
    show_unchanged: bool,
    show_noise: bool,
) -> ExitCode:
    """Show what the fleet would become: one line a cluster, then the changes, each once.

    Nothing is changed. The exit code is 0 when every cluster could be planned (2 with
    --detailed-exitcode when there are changes), 4 when some could not, 1 when an object is
    in conflict or denied. What an apply would be refused for is told and changes no exit code.

    \b
    Example:
      fleet plan
      fleet plan --out plan.json
      fleet plan -e prod -a web -o json=plan.json
    """
    walk, selected = open_walk(invocation), selection(invocation)
    with shown(invocation) as sink:
        found = operation.plan(walk, selected, sink)
    if out is not None:
        saved = importlib.import_module("fleetmgr.cli.plan_file")
        found = cast("Plan", saved.kept(walk, found, selected, out))
    verdict = plan_verdict(found, detailed=detailed_exitcode)
    emit_plan(invocation, found, verdict, unchanged=show_unchanged, noise=show_noise)
    return verdict.exit_code
