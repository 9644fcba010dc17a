"""``fleet destroy``: shows what would go, has the fleet's name typed, deletes it."""

from __future__ import annotations

import click
from msgspec.structs import replace

from fleetmgr.cli.confirming import fleet_typed
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import (
    Duration,
    engine_option,
    fleet_options,
    lock_option,
    override_option,
    progress_option,
    protected_option,
    report_options,
)
from fleetmgr.cli.output import echo
from fleetmgr.cli.performing import show_plan, show_report
from fleetmgr.cli.plan_output import emit_plan
from fleetmgr.cli.progress import shown
from fleetmgr.cli.resuming import resumed_with, same_command
from fleetmgr.cli.walking import open_walk, selection
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.model.change import Plan
from fleetmgr.operations import destroy as operation
from fleetmgr.operations.guards import refuse_unsafe
from fleetmgr.planner.outcome import complete, plan_verdict


class NothingSelected(UsageError):
    """Neither a selection nor ``--all``: nobody destroys a whole fleet by leaving something out."""

    code = "FLT-6450"


class Unconfirmed(UsageError):
    """There is no terminal to type the fleet's name on, and the flags that stand for it are not there."""

    code = "FLT-6451"


class OtherFleetConfirmed(UsageError):
    """``--confirm`` names another fleet."""

    code = "FLT-6452"


@click.command()
@fleet_options
@click.option("--all", "everything", is_flag=True, help="All apps on all clusters of the fleet.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@protected_option
@engine_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask; with --confirm.")
@click.option("--confirm", metavar="FLEET", help="The name of the fleet: with --yes, instead of typing it.")
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="Wait at most so long for hooks, and for what finalizers hold: 90s, 10m, 1h30m.",
)
@lock_option
@override_option
@report_options
@progress_option
@click.pass_obj
def destroy(
    invocation: Invocation,
    *,
    everything: bool,
    dry_run: bool,
    yes: bool,
    confirm: str | None,
    timeout: float | None,
) -> ExitCode:
    """Delete what this fleet has on the selected clusters, and forget it there.

    Shows the plan, asks for the name of the fleet, deletes: apps before those that they depend on,
    with their PreDelete and PostDelete hooks. Only proven objects of this fleet go. What is
    protected stays and is listed, unless --delete-protected names it. prune, onRemove and delete
    limits do not keep anything: to destroy is what is asked for. fleet.yaml is not changed; the
    next apply creates everything again.

    Without -a, all apps of the selected clusters go, also those that fleet.yaml no longer names, and
    with the last of them what is remembered of the cluster. Without a terminal, --yes and --confirm
    FLEET are needed (exit code 64). A cluster that cannot be reached is left out (exit code 4). A run
    that was stopped is finished by running it again.

    \b
    Example:
      fleet destroy -c dev-1 --dry-run
      fleet destroy -a web -e dev
      fleet destroy --all --yes --confirm shop
    """
    selected = selection(invocation)
    if selected.everything is not everything:
        raise _unclear(everything=everything)
    walk = open_walk(invocation)
    fleet = walk.loaded.fleet.name
    if confirm is not None and confirm != fleet:
        raise OtherFleetConfirmed(
            f"--confirm names `{confirm}`, and this is fleet `{fleet}`",
            hint="check -f and the working folder",
        )
    with shown(invocation) as sink:
        plan = operation.plan_of_destruction(walk, selected, sink)
    if dry_run:
        verdict = plan_verdict(plan)
        emit_plan(invocation, plan, verdict)
        return verdict.exit_code
    show_plan(invocation, replace(plan, refusals=()), unchanged=False)
    refuse_unsafe(plan)
    if operation.destroys_anything(walk, plan) and not _confirmed(invocation, plan, yes=yes, confirm=confirm):
        echo("Nothing was deleted.\n", err=True)
        return ExitCode.FAILED
    with resumed_with(same_command(walk)), shown(invocation) as sink:
        report = operation.destroy(walk, plan, sink, timeout=timeout)
    return show_report(invocation, complete(report, plan), plan)


def _unclear(*, everything: bool) -> UsageError:
    if everything:
        return NothingSelected(
            "--all and a selection say different things", hint="leave out --all, or -e, -c, -a and -l"
        )
    return NothingSelected(
        "nothing is selected", hint="select with -e, -c, -a or -l, or destroy the whole fleet with --all"
    )


def _confirmed(invocation: Invocation, plan: Plan, *, yes: bool, confirm: str | None) -> bool:
    if yes and confirm is not None:
        return True
    if not invocation.terminal.can_ask:
        missing = [
            flag for flag, given in (("--yes", yes), (f"--confirm {plan.fleet}", confirm)) if not given
        ]
        raise Unconfirmed(
            "this deletes objects and there is no terminal to confirm it on",
            hint=f"add {' '.join(missing)} to destroy without a question",
        )
    return fleet_typed(plan, "delete this")
