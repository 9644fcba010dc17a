"""``fleet remove``: an entry out of fleet.yaml, everything else in it untouched."""

from __future__ import annotations

import click

from fleetmgr.cli.editing import confirmed, editing_options, finish
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, named, output_options
from fleetmgr.cli.output import echo
from fleetmgr.errors import ExitCode
from fleetmgr.operations import remove as operation
from fleetmgr.reporting.escape import visible
from fleetmgr.wiring import fleet_file as wiring

_overlays = click.option("--overlays", is_flag=True, help="Delete its overlay files as well.")


@click.group()
def remove() -> None:
    """Take an app, cluster or environment out of fleet.yaml.

    Only the lines of the entry go: comments above it stay. No cluster is touched; what the next
    apply will do is said. What would leave the fleet invalid is refused with what is in the way.

    \b
    Example:
      fleet remove app web --overlays
    """


@remove.command()
@click.argument("name", shell_complete=named("apps"))
@_overlays
@editing_options
@file_option
@output_options
@click.pass_obj
def app(invocation: Invocation, *, name: str, overlays: bool, dry_run: bool, yes: bool) -> ExitCode:
    """Remove an app, and with --overlays its files environments/*/NAME.yaml.

    \b
    Example:
      fleet remove app web --overlays
    """
    return _remove(invocation, "app", name, overlays=overlays, dry_run=dry_run, yes=yes)


@remove.command()
@click.argument("name", shell_complete=named("clusters"))
@editing_options
@file_option
@output_options
@click.pass_obj
def cluster(invocation: Invocation, *, name: str, dry_run: bool, yes: bool) -> ExitCode:
    """Remove a cluster entry; nothing on the cluster is deleted.

    \b
    Example:
      fleet remove cluster prod-2
    """
    return _remove(invocation, "cluster", name, overlays=False, dry_run=dry_run, yes=yes)


@remove.command()
@click.argument("name", shell_complete=named("environments"))
@_overlays
@editing_options
@file_option
@output_options
@click.pass_obj
def environment(invocation: Invocation, *, name: str, overlays: bool, dry_run: bool, yes: bool) -> ExitCode:
    """Remove an environment that has no clusters.

    \b
    Example:
      fleet remove environment staging
    """
    return _remove(invocation, "environment", name, overlays=overlays, dry_run=dry_run, yes=yes)


def _remove(
    invocation: Invocation, kind: str, name: str, *, overlays: bool, dry_run: bool, yes: bool
) -> ExitCode:
    file = wiring.open_fleet_file(invocation.file)
    left = operation.overlays_of(file, kind, name)
    if left and not overlays and not yes and invocation.terminal.can_ask:
        for overlay in left:
            echo(f"  {visible(overlay)}\n", err=True)
        overlays = confirmed(f"Delete these overlay files of {kind} {name} as well?")
    loaded = wiring.loaded_or_none(invocation.file)
    proposal = operation.remove(file, kind, name, overlays=overlays, loaded=loaded)
    return finish(invocation, file, proposal, dry_run=dry_run, yes=yes)
