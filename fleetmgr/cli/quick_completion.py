"""Completion of names without loading the command that they are for: at a Tab, a third of a second is long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from fleetmgr.cli.invocation import DEFAULT_FILE
from fleetmgr.cli.names import names_of

_OPTIONS: Mapping[str, str] = {
    **dict.fromkeys(("-e", "--environment", "--after"), "environments"),
    **dict.fromkeys(("-c", "--cluster"), "clusters"),
    **dict.fromkeys(("-a", "--app", "--depends-on"), "apps"),
}
_ARGUMENTS: Mapping[tuple[str, ...], str] = {
    ("status",): "apps",
    ("explain",): "apps",
    ("explain", "*"): "clusters",
    ("remove", "app"): "apps",
    ("remove", "cluster"): "clusters",
    ("remove", "environment"): "environments",
}
_KINDS = ("app", "cluster", "environment")
_GROUPS: Mapping[str, tuple[str, ...]] = {"add": _KINDS, "remove": _KINDS}
_OTHER_VERBS = frozenset({"sandbox", "completion", "init", "schema", "version"})
_FLAGS = frozenset({"-y", "--yes", "-h", "--help"})


def complete(cli: click.Command, instruction: str, program: str) -> bool:
    """Answer the shell when it asks for names; False: it asks for something else (click answers).

    ``instruction`` is what the shell's script put in the environment, such as ``bash_complete``.
    """
    shell, _, what = instruction.partition("_")
    script = get_completion_class(shell) if what == "complete" else None
    if script is None:
        return False
    asked = script(cli, {}, program, f"_{program.upper()}_COMPLETE")
    args, incomplete = asked.get_completion_args()
    found = candidates(args, incomplete)
    if found is None:
        return False
    for name in found:
        click.echo(asked.format_completion(CompletionItem(name)))
    return True


def candidates(args: Sequence[str], incomplete: str) -> list[str] | None:
    """What fits behind ``args``; None when that is for the command to say."""
    if not args or args[0] in _OTHER_VERBS or incomplete.startswith("-"):
        return None
    section = _OPTIONS.get(args[-1])
    if section is None and args[-1].startswith("-") and args[-1] not in _FLAGS:
        return None  # the value of another option
    words = tuple(_positional(args))
    if section is None and len(words) == 1 and words[0] in _GROUPS:
        return _starting(_GROUPS[words[0]], incomplete)
    section = section or _ARGUMENTS.get(words)
    if section is None and words[:1] == ("explain",) and len(words) == 2:  # noqa: PLR2004 - explain APP
        section = _ARGUMENTS[("explain", "*")]
    return _starting(names_of(_file(args), section), incomplete) if section else None


def _starting(names: Sequence[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _positional(args: Sequence[str]) -> list[str]:
    """The words that are neither options nor their values."""
    words: list[str] = []
    takes_value = False
    for arg in args:
        if arg.startswith("-"):
            takes_value = "=" not in arg and arg not in _FLAGS
        elif takes_value:
            takes_value = False
        else:
            words.append(arg)
    return words


def _file(args: Sequence[str]) -> Path:
    for option, value in pairwise(args):
        if option in ("-f", "--file"):
            return Path(value).expanduser()
    named = [arg.partition("=")[2] for arg in args if arg.startswith("--file=")]
    return Path(named[-1]) if named else DEFAULT_FILE
