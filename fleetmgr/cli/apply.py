"""``fleet apply``: shows the plan, asks, makes it so."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import cast

import click
from msgspec.structs import replace

from fleetmgr.cli.confirming import ask_about_deletes, protected_agreed
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import (
    Duration,
    adopt_option,
    consent_options,
    dirty_option,
    engine_option,
    fleet_options,
    force_option,
    lock_option,
    pace_options,
    progress_option,
    report_options,
    show_unchanged,
    timings_option,
    verify_option,
)
from fleetmgr.cli.output import echo
from fleetmgr.cli.performing import show_plan, show_report
from fleetmgr.cli.progress import shown
from fleetmgr.cli.resuming import instead_of_plan_file, resumed_with, same_command
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.model.change import Plan
from fleetmgr.model.enumeration import counted
from fleetmgr.model.selection import Selection
from fleetmgr.operations import apply as applying
from fleetmgr.operations import plan as planning
from fleetmgr.operations.guards import refuse_unsafe
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.outcome import complete, has_writes


class NobodyToAsk(UsageError):
    """There are changes, no terminal, and no flag that says yes."""

    code = "FLT-6401"


@click.command()
@click.argument("planfile", metavar="[PLANFILE]", required=False, type=click.Path(path_type=Path))
@fleet_options
@adopt_option
@consent_options
@dirty_option
@force_option
@engine_option
@verify_option
@click.option("-y", "--yes", is_flag=True, help="Apply without asking.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the apps are healthy.")
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="Wait at most so long for each app: 90s, 10m, 1h30m.",
)
@lock_option
@pace_options
@show_unchanged
@report_options
@progress_option
@timings_option
@click.pass_obj
def apply(
    invocation: Invocation,
    *,
    planfile: Path | None,
    yes: bool,
    no_wait: bool,
    timeout: float | None,
    show_unchanged: bool,
) -> ExitCode:
    """Show the plan, ask, and make the fleet so.

    Clusters that cannot be reached are left out and the others are done (exit code 4). An app
    with an object in conflict or denied is not begun there, nor are apps that depend on it, and
    nothing is pruned; the other apps are applied (exit code 1 or 4). An empty plan asks nothing.
    Without a terminal, --yes is needed (exit code 64). A plan that deletes more than it may is
    refused before anything is written on any cluster (exit code 5). Deletes of apps with prune:
    confirm wait until they are confirmed; the rest is done (exit code 7). One run at a time writes to a
    cluster: a second one waits for --lock-timeout, then ends with exit code 8 and says who is at work.
    With --force the plan begins with the list of what only --force allows.

    Environments go one after another, in waves where one has a rollout: what fails, falls ill
    while it soaks, or meets a closed window keeps later clusters from being begun, and the result
    says so. Applying again goes on from there.

    With PLANFILE (of fleet plan --out), exactly that plan is applied, once. When anything that it
    was made from is different now, nothing is written and every difference is named (exit code 6).

    \b
    Example:
      fleet apply -e dev
      fleet apply plan.json --yes
      fleet apply -e prod --yes --timeout 15m -o json
    """
    walk, selected, plan = _planned(invocation, planfile)
    return make_so(
        invocation,
        walk,
        selected,
        plan,
        yes=yes,
        no_wait=no_wait,
        timeout=timeout,
        unchanged=show_unchanged,
        planfile=planfile,
    )


def make_so(  # noqa: PLR0913 - what the command line says
    invocation: Invocation,
    walk: Walk,
    selected: Selection,
    plan: Plan,
    *,
    yes: bool,
    no_wait: bool,
    timeout: float | None,
    unchanged: bool = False,
    planfile: Path | None = None,
) -> ExitCode:
    """Show ``plan``, ask, perform it, show what became of it."""
    show_plan(invocation, replace(plan, refusals=()), unchanged=unchanged)
    refuse_unsafe(plan)
    writes = has_writes(plan)
    agreed = not writes or yes or _confirmed(invocation, plan)
    if not (agreed and protected_agreed(invocation, plan, yes=yes)):
        echo("Nothing was changed.\n", err=True)
        return ExitCode.FAILED
    plan = ask_about_deletes(invocation, plan, yes=yes)
    wait = (
        writes and not no_wait
    )  # an empty plan still records the revision, but there is nothing to wait for
    command = same_command(walk) if planfile is None else instead_of_plan_file(invocation, walk, selected)
    with resumed_with(command), shown(invocation) as sink:
        report = applying.apply(walk, plan, selected, sink, wait=wait, timeout=timeout)
    return show_report(invocation, complete(report, plan), plan)


def _planned(invocation: Invocation, planfile: Path | None) -> tuple[Walk, Selection, Plan]:
    """The plan made now, or that of a file, which must still be true."""
    if planfile is not None:
        saved = importlib.import_module("fleetmgr.cli.plan_file")
        return cast("tuple[Walk, Selection, Plan]", saved.planned(invocation, planfile))
    walk, selected = open_walk(invocation), selection(invocation)
    with shown(invocation) as sink:
        return walk, selected, planning.plan(walk, selected, sink)


def _confirmed(invocation: Invocation, plan: Plan) -> bool:
    clusters = sum(1 for cluster in plan.clusters if any(change.op.writes for change in cluster.changes))
    if not invocation.terminal.can_ask:
        raise NobodyToAsk(
            f"there are changes for {counted(clusters, 'cluster')} and no terminal to ask on",
            hint="add --yes to apply without a question",
        )
    echo(f"Apply this plan to {counted(clusters, 'cluster')}? [y/N] ", err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
