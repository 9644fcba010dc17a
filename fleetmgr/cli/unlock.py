"""``fleet unlock``: release the lease that a run holds on a cluster."""

from __future__ import annotations

import click

from fleetmgr.cli.editing import confirmed
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, named, output_options
from fleetmgr.cli.output import Rendering, echo, emit, stderr_paint
from fleetmgr.cli.walking import open_walk
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.operations import unlock as operation
from fleetmgr.reporting.unlock import holder_text, unlock_data, unlock_text


class NobodyToAskAboutLock(UsageError):
    """The cluster is locked, there is no terminal, and no flag says yes."""

    code = "FLT-6440"


@click.command()
@click.argument("cluster", shell_complete=named("clusters"))
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept on the cluster with who and when.")
@click.option("-y", "--yes", is_flag=True, help="Unlock without asking.")
@file_option
@output_options
@click.pass_obj
def unlock(invocation: Invocation, *, cluster: str, reason: str, yes: bool) -> ExitCode:
    """Release the lease that a run holds on CLUSTER, so that another can apply.

    Shows who holds it and asks. Needed only when that run is dead and its machine is out of
    reach: a lease that nobody renews runs out in 30 seconds, and a dead process of this machine
    is noticed at once. A run that is alive stops before its next write.

    \b
    Example:
      fleet unlock prod-1 --reason "the CI runner was killed"
    """
    walk = open_walk(invocation)
    held = operation.look(walk, cluster)
    unlocked = False
    if held.is_held and held.lease is not None:
        echo(holder_text(cluster, held.lease, paint=stderr_paint(invocation)), err=True)
        if not yes and not invocation.terminal.can_ask:
            raise NobodyToAskAboutLock(
                f"{cluster} is locked and there is no terminal to ask on",
                hint="add --yes to unlock without a question",
            )
        unlocked = yes or confirmed(f"Unlock {cluster}?")
        if unlocked:
            operation.unlock(walk, held, reason=reason)
    emit(
        invocation,
        Rendering(
            text=lambda _: unlock_text(cluster, held=held.is_held, unlocked=unlocked),
            data=lambda: unlock_data(held.entry.fleet, cluster, held.lease, unlocked=unlocked, reason=reason),
        ),
    )
    return ExitCode.OK if unlocked or not held.is_held else ExitCode.FAILED
