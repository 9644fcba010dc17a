"""How a run that changes clusters is gone on with: told by the first signal that stops it."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import contextmanager

from fleetmgr.cli.invocation import Invocation
from fleetmgr.model.selection import Selection
from fleetmgr.operations.walk import Walk

_commands: list[str] = []


@contextmanager
def resumed_with(command: str) -> Generator[None]:
    """Inside the block clusters are changed, and ``command`` goes on with that; "" where nobody knows one."""
    _commands.append(command)
    try:
        yield
    finally:
        _commands.pop()


def resume_command() -> str:
    """The command that goes on with what is under way; "" while nothing is."""
    return _commands[-1] if _commands else ""


def same_command(walk: Walk) -> str:
    """The command line of this run, quoted for a shell."""
    return walk.lock.holder.command if walk.lock is not None else ""


def instead_of_plan_file(invocation: Invocation, walk: Walk, selected: Selection) -> str:
    """A saved plan is used once: what goes on with it is an apply of what it selected."""
    if walk.lock is None:
        return ""
    named = (
        ("-e", selected.environments),
        ("-c", selected.clusters),
        ("-a", selected.apps),
        ("-l", selected.selectors),
    )
    flags = [part for flag, names in named for name in names for part in (flag, name)]
    flags += [flag for flag, given in (("--adopt", walk.adopt), ("--force", walk.force)) if given]
    program = shlex.split(walk.lock.holder.command)[:1]
    return shlex.join([*program, "apply", "-f", str(invocation.file), *flags])
