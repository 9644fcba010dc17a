"""What ``fleet add`` and ``fleet remove`` share: show the diff, perhaps ask, write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import Rendering, echo, emit, stderr_paint
from fleetmgr.errors import ExitCode
from fleetmgr.operations.edits import Proposal
from fleetmgr.ports.fleet_file import FleetFile
from fleetmgr.reporting.edits import edit_data, edit_text, file_diff

F = TypeVar("F", bound=Callable[..., Any])


def editing_options(command: F) -> F:
    """``--dry-run`` and ``--yes``."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Show the diff and write nothing."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask; without a terminal nothing is asked."),
    ):
        command = option(command)
    return command


def finish(
    invocation: Invocation, file: FleetFile, proposal: Proposal, *, dry_run: bool, yes: bool
) -> ExitCode:
    """Write the proposal unless it is a dry run or somebody at the terminal says no; print what was done."""
    diffs = [file_diff(edit.file, edit.before, edit.after) for edit in proposal.edits]
    asks = not (dry_run or yes) and invocation.terminal.can_ask
    if asks:
        echo(edit_text(diffs, proposal.notes, paint=stderr_paint(invocation)), err=True)
    agreed = not asks or confirmed("Write this?")
    written = agreed and not dry_run
    if written:
        file.write(proposal.edits)
    files = [edit.file for edit in proposal.edits]
    outcome = f"Written: {', '.join(files)}." if written else "Nothing was written."
    emit(
        invocation,
        Rendering(
            text=lambda paint: (
                f"{outcome}\n" if asks else edit_text(diffs, proposal.notes, outcome, paint=paint)
            ),
            data=lambda: edit_data(
                (proposal.verb, proposal.kind, proposal.name),
                files,
                [line for diff in diffs for line in diff],
                proposal.notes,
                written=written,
            ),
        ),
    )
    return ExitCode.OK if agreed else ExitCode.FAILED


def confirmed(question: str) -> bool:
    """Ask on standard error; anything but yes is no."""
    echo(f"{question} [y/N] ", err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
