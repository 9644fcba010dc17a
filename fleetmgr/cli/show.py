"""``fleet show FILE``: a saved plan, readable for ever."""

from __future__ import annotations

from pathlib import Path

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, report_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.cli.plan_file import read
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.model.verdict import Verdict
from fleetmgr.operations.show_plan import staleness
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import plan_verdict
from fleetmgr.reporting.plan_file import (
    plan_file_data,
    plan_file_markdown,
    plan_file_text,
    plan_file_workflow,
    plan_of,
)
from fleetmgr.reporting.unified import diff_text
from fleetmgr.wiring.offline import LazyRepository

_SHOWN = Verdict(exit_code=ExitCode.OK, reason="ok", clusters={})


@click.command()
@click.argument("planfile", metavar="PLANFILE", type=click.Path(path_type=Path))
@file_option
@click.option("--diff", "as_diff", is_flag=True, help="As unified diffs of objects, like fleet diff.")
@report_options
@click.pass_obj
def show(invocation: Invocation, *, planfile: Path, as_diff: bool) -> ExitCode:
    """Show a plan that fleet plan --out has kept: also one that is stale, was applied, or was made by
    another version. No cluster is asked.

    Where fleet.yaml is, it says whether and since when the repository has moved on. A file that was cut
    off or changed is an error (exit code 1).

    \b
    Example:
      fleet show plan.json
      fleet show plan.json --diff --color always | less -R
    """
    file = read(planfile)
    here = LazyRepository(invocation.file.parent.resolve()) if invocation.file.exists() else None
    stale = staleness(file, here)
    if as_diff and file.saved is None:
        raise UsageError(
            "another version wrote this plan: its objects cannot be read", hint="leave out --diff"
        )
    groups = same_changes(file.saved.plan) if file.saved else ()
    shown = plan_verdict(file.saved.plan) if file.saved else _SHOWN
    saved = file.saved
    emit(
        invocation,
        Rendering(
            text=lambda paint: (
                diff_text(plan_of(saved), paint=paint)
                if as_diff and saved is not None
                else plan_file_text(file, stale, groups, paint=paint)
            ),
            data=lambda: plan_file_data(file, stale, _SHOWN, shown),
            markdown=lambda: plan_file_markdown(file, stale, groups),
            workflow=lambda: plan_file_workflow(file, stale, groups),
        ),
    )
    return ExitCode.OK
