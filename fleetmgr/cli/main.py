"""The ``fleet`` command: finds the verb, loads only what it needs, turns every end into an exit code."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import inspect
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import NamedTuple, NoReturn, cast

import click
from click.shell_completion import CompletionItem

from fleetmgr import __version__
from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.terminal import github_job, terminal_settings
from fleetmgr.errors import Terminated


class Entry(NamedTuple):
    """A verb: the command of that name in ``module``, which is imported when the verb runs."""

    module: str
    help: str
    section: str
    aliases: tuple[str, ...] = ()


_CHANGE, _LOOK, _WRITE, _TOOLS = "Plan and apply", "Look", "Write fleet.yaml", "Tools"
COMMANDS: Mapping[str, Entry] = {
    "plan": Entry("fleetmgr.cli.plan", "Show what the fleet would become.", _CHANGE, ("preview",)),
    "apply": Entry("fleetmgr.cli.apply", "Make the fleet so.", _CHANGE, ("up",)),
    "destroy": Entry("fleetmgr.cli.destroy", "Delete what the fleet has on clusters.", _CHANGE),
    "show": Entry("fleetmgr.cli.show", "Show a plan that was kept in a file.", _CHANGE),
    "unlock": Entry("fleetmgr.cli.unlock", "Release the lease of a run that died.", _CHANGE),
    "adopt": Entry("fleetmgr.cli.adopt", "Take over what a renamed fleet held.", _CHANGE),
    "rollout": Entry("fleetmgr.cli.rollout", "See, pause, resume and end rollouts.", _CHANGE),
    "diff": Entry("fleetmgr.cli.diff", "Show the plan as a diff of objects.", _CHANGE),
    "status": Entry("fleetmgr.cli.status", "Show sync and health of apps on clusters.", _LOOK),
    "history": Entry("fleetmgr.cli.history", "Show what was applied when, by whom.", _LOOK),
    "health": Entry("fleetmgr.cli.health", "Say the health of objects in files, offline.", _LOOK),
    "drift": Entry("fleetmgr.cli.drift", "Show what others changed on the clusters.", _LOOK),
    "doctor": Entry("fleetmgr.cli.doctor", "Check access, permissions and tools.", _LOOK),
    "init": Entry("fleetmgr.cli.init", "Write the smallest fleet.", _WRITE),
    "add": Entry("fleetmgr.cli.add", "Add an app, cluster or environment.", _WRITE),
    "remove": Entry("fleetmgr.cli.remove", "Remove an app, cluster or environment.", _WRITE),
    "validate": Entry("fleetmgr.cli.validate", "Check fleet.yaml and its sources, offline.", _WRITE),
    "render": Entry("fleetmgr.cli.render", "Write what every cluster would get, as manifests.", _WRITE),
    "export": Entry("fleetmgr.cli.export", "Write what is ours in the form of other tools.", _WRITE),
    "explain": Entry("fleetmgr.cli.explain", "Show which layer set what, or what waits for what.", _WRITE),
    "schema": Entry("fleetmgr.cli.schema", "Print the JSON Schema of fleet.yaml.", _WRITE),
    "sandbox": Entry("fleetmgr.cli.sandbox", "Run real control planes on this machine.", _TOOLS),
    "completion": Entry("fleetmgr.cli.completion", "Print the completion script of a shell.", _TOOLS),
    "version": Entry("fleetmgr.cli.version", "Print the version.", _TOOLS),
}
_GC_THRESHOLD = 500_000
"""A command lives for a second and drops little: at the default threshold, a tenth of a plan went into
looking for cycles while modules load."""
_BY_ALIAS = {alias: name for name, entry in COMMANDS.items() for alias in entry.aliases}


class LazyCommands(click.Group):
    """Lists verbs from the table; imports one only to run it (``fleet --help`` loads click alone)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """The verbs, without aliases, as the help lists them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The verb's command, imported now; None when there is no such verb."""
        name = _BY_ALIAS.get(cmd_name, cmd_name)
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        return _example_last(cast("click.Command", getattr(importlib.import_module(entry.module), name)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but suggesting from the table."""
        if args[0] not in COMMANDS and args[0] not in _BY_ALIAS and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=[*COMMANDS, *_BY_ALIAS], ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The verbs by section, from the table."""
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl(
                    [(_with_aliases(name), e.help) for name, e in COMMANDS.items() if e.section == section]
                )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs and options that begin like ``incomplete``."""
        verbs = [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)


def _example_last(command: click.Command) -> click.Command:
    """``command``, and all below it, with the example of the docstring moved behind the options."""
    text, found, example = inspect.cleandoc(command.help or "").partition("\b\nExample:")
    if found and command.epilog is None:
        command.help, command.epilog = text.rstrip(), found + example
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _example_last(below)
    return command


def _with_aliases(name: str) -> str:
    aliases = COMMANDS[name].aliases
    return f"{name} ({', '.join(aliases)})" if aliases else name


@click.command(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="\b\nExample:\n  fleet plan -e prod     what would prod become?\n  fleet apply -e prod    make it so",
)
@click.version_option(__version__, prog_name="fleetmgr", message="%(prog)s %(version)s")
def fleet() -> None:
    """One fleet.yaml, planned and applied to every Kubernetes cluster."""


def main() -> NoReturn:
    """The console script."""
    gc.set_threshold(_GC_THRESHOLD, 20, 20)
    # A process that ends need not look for cycles first: up to 0.1 s after an apply.
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # a C locale must not make a report fail
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    prog_name = "fleetmgr" if os.path.basename(sys.argv[0]) == "fleetmgr" else "fleet"  # noqa: PTH119 - pathlib is not needed for --help
    sys.exit(run(sys.argv[1:], environment=os.environ, prog_name=prog_name))  # noqa: TID251 - the one place where the command line reads it


def run(args: Sequence[str], *, environment: Mapping[str, str], prog_name: str = "fleet") -> int:
    """Run one command line and return its exit code; nothing is raised but SystemExit of completion."""
    invocation = Invocation(
        terminal=terminal_settings(
            environment,
            stdin_tty=_is_tty(sys.stdin),
            stdout_tty=_is_tty(sys.stdout),
            stderr_tty=_is_tty(sys.stderr),
        ),
        github=github_job(environment),
    )
    try:
        if _completed(environment, prog_name):
            return 0
        code = fleet.main(args=list(args), prog_name=prog_name, standalone_mode=False, obj=invocation)
        sys.stdout.flush()
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - the border of the program: every end becomes an exit code
        failure = importlib.import_module("fleetmgr.cli.failure")
        return int(failure.exit_code_of(error, invocation, environment))
    return int(code) if isinstance(code, int) else 0


def _completed(environment: Mapping[str, str], prog_name: str) -> bool:
    """Whether a shell asked for names and got them; its other questions are click's."""
    asked = environment.get(f"_{prog_name.upper()}_COMPLETE")
    if not asked:
        return False
    completion = importlib.import_module("fleetmgr.cli.quick_completion")
    return bool(completion.complete(fleet, asked, prog_name))


def _is_tty(stream: object) -> bool:
    isatty = cast("Callable[[], bool] | None", getattr(stream, "isatty", None))
    return isatty is not None and isatty()


def goes_on() -> bytes:
    """How to go on with what is being changed; a command that changes clusters has loaded the module that knows."""
    resuming = sys.modules.get("fleetmgr.cli.resuming")
    command = cast("str", resuming.resume_command()) if resuming is not None else ""
    return f"to go on: {command}\n".encode(errors="backslashreplace") if command else b""


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature is signal's
    """First signal: unwind. Any further one: leave at once, whatever threads are still waiting for."""
    for again in (signal.SIGINT, signal.SIGTERM):
        signal.signal(again, lambda n, _: os._exit(128 + n))
    with contextlib.suppress(OSError):
        os.write(2, b"\nstopping what is under way; once more to leave at once\n" + goes_on())
    if number == signal.SIGTERM:
        raise Terminated
    raise KeyboardInterrupt
