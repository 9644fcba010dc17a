"""``fleet export``: what fleetmgr knows, in the form of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import file_option, named
from fleetmgr.cli.output import echo, to_owner
from fleetmgr.cli.walking import open_walk
from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.model.enumeration import counted, listed
from fleetmgr.operations.export_state import StateExport
from fleetmgr.spec.suggest import suggest
from fleetmgr.wiring.pulumi_state import exported_state, written

_SHOWN = 5


class WhichCluster(UsageError):
    """A state is that of one cluster."""

    code = "FLT-9032"


@click.group()
def export() -> None:
    """Write what fleetmgr knows in the form of other tools.

    \b
    Example:
      fleet export pulumi-state prod-1 --out prod-1.json
    """


@export.command("pulumi-state")
@click.argument("cluster", required=False, shell_complete=named("clusters"))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE, for its owner only, instead of standard output.",
)
@file_option
@click.pass_obj
def pulumi_state(invocation: Invocation, *, cluster: str | None, out: Path | None) -> ExitCode:
    """Write the objects of CLUSTER that are ours as a state for `pulumi stack import`.

    For a stack of the same name in the project of the fleet's name. With it, plain Pulumi goes on
    where fleetmgr was, and no object changes. Secrets are left out: their values would stand in
    the file. Pulumi takes them over at the next `pulumi up`, without changing them.

    \b
    Example:
      fleet export pulumi-state prod-1 --out prod-1.json
      pulumi stack init prod-1 && pulumi stack import --file prod-1.json
    """
    walk = open_walk(invocation)
    names = [entry.name for entry in walk.loaded.fleet.clusters]
    if cluster is None and len(names) == 1:
        cluster = names[0]
    if cluster is None:
        raise WhichCluster("a state is that of one cluster", hint=f"name one of {', '.join(names)}")
    if cluster not in names:
        raise UsageError(f"no cluster `{cluster}` in this fleet", hint=suggest(cluster, names))
    state = exported_state(walk, cluster)
    text = written(state)
    if out is None:
        echo(text)
    else:
        to_owner("state", out, text.encode())
    echo("\n".join(_told(state, out)) + "\n", err=True)
    return ExitCode.OK


def _told(state: StateExport, out: Path | None) -> list[str]:
    where = f" to {out}" if out else ""
    lines = [f"wrote {counted(state.objects, 'object')} of {state.cluster}{where}"]
    for what, refs in (
        ("left out, Secrets: Pulumi takes them over at the next `pulumi up`", state.secrets),
        ("left out, not on the cluster yet", state.absent),
        ("left out, not ours", state.foreign),
        ("left out, ours but no longer in Git: apply first, or delete them by hand", state.dropped),
    ):
        if refs:
            lines.append(f"{what}: {listed(refs, limit=_SHOWN)}")
    return lines
