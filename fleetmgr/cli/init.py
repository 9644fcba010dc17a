"""``fleet init``: from nothing to a fleet that validates."""

from __future__ import annotations

from pathlib import Path

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.options import output_options
from fleetmgr.cli.output import Rendering, emit
from fleetmgr.operations import init as operation
from fleetmgr.operations.init import Initialized
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.problems import API_VERSION


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", metavar="NAME", help="Name of the fleet.  [default: the folder's]")
@output_options
@click.pass_obj
def init(invocation: Invocation, *, folder: Path, name: str | None) -> int:
    """Write the smallest fleet into DIR (here): fleet.yaml, one app, and a .gitignore for keys and secrets.

    No existing file is overwritten; where there is a fleet.yaml, nothing is written.

    \b
    Example:
      fleet init --name shop
    """
    done = operation.init(folder, name)
    emit(
        invocation,
        Rendering(
            text=lambda _: _text(done),
            data=lambda: {
                "apiVersion": API_VERSION,
                "kind": "Init",
                "fleet": done.name,
                "created": list(done.created),
                "extended": list(done.extended),
                "kept": list(done.kept),
            },
        ),
    )
    return 0


def _text(done: Initialized) -> str:
    marks = (("created", done.created), ("extended", done.extended), ("kept", done.kept))
    lines = [f"{mark:9}{visible(str(done.folder / name))}" for mark, names in marks for name in names]
    here = done.folder == Path()
    file = "" if here else f" -f {visible(str(done.folder / 'fleet.yaml'))}"
    lines.append(f"\nFleet {done.name} is ready. Set the context of dev-1 in fleet.yaml, then:")
    lines += [f"  fleet validate{file}", f"  fleet plan{file}"]
    return "\n".join(lines) + "\n"
