"""The options that several commands share, spelled once; they fill the Invocation."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from fleetmgr.cli.invocation import DEFAULT_FILE, DEFAULT_PARALLEL, Invocation, Output

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]
FORMATS = ("text", "json", "yaml")
REPORT_FORMATS = (*FORMATS, "ndjson", "markdown", "github")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


class Duration(click.ParamType[float]):
    """``90s``, ``10m``, ``1h30m``: seconds as a float."""

    name = "duration"

    def __init__(self, *, zero: bool = False) -> None:
        """``zero``: whether 0s makes sense."""
        self.zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; texts without a unit are refused, and zero where it makes no sense."""
        if isinstance(value, float):
            return value
        match = _DURATION.match(str(value))
        hours, minutes, seconds = (int(n or 0) for n in match.groups()) if match else (0, 0, 0)
        total = hours * 3600 + minutes * 60 + seconds
        if not total and not (self.zero and match and match.group()):
            self.fail(f"{value!r} is not a duration like 90s, 10m or 1h30m", param, ctx)
        return float(total)


class OutputType(click.ParamType[Output]):
    """``FORMAT`` or ``FORMAT=FILE``."""

    name = "format[=file]"

    def __init__(self, formats: Sequence[str]) -> None:
        """``formats`` that the command can write."""
        self.formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """The format and, behind ``=``, the file."""
        if isinstance(value, Output):
            return value
        name, equals, path = str(value).partition("=")
        if name not in self.formats or (equals and not path):
            known = ", ".join(self.formats)
            self.fail(f"{value!r} is not one of {known}, or one of them with =FILE", param, ctx)
        return Output(name, Path(path) if path else None)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        param: click.Parameter,  # noqa: ARG002 - click's
        incomplete: str,
    ) -> list[CompletionItem]:
        """The formats."""
        return [CompletionItem(name) for name in self.formats if name.startswith(incomplete)]


def _stored(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback that keeps the value in the Invocation instead of passing it to the command."""

    def store(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ARG001 - click's
        setattr(ctx.ensure_object(Invocation), field, value)

    return store


def _outputs(ctx: click.Context, param: click.Parameter, value: tuple[Output, ...]) -> None:
    """Keep the outputs; standard output can hold one document only."""
    ctx.ensure_object(Invocation).outputs = value
    if sum(1 for output in value if output.path is None) > 1:
        raise click.BadParameter(
            "only one format can go to standard output; give the others a file", ctx, param
        )


def named(section: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completes names of fleet.yaml; loads the specification only when a shell asks."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's
        names = importlib.import_module("fleetmgr.cli.names")
        file = ctx.ensure_object(Invocation).file
        found = cast("list[str]", names.names_of(file, section))
        return [CompletionItem(name) for name in found if name.startswith(incomplete)]

    return complete


def _option(*names: str, field: str, **settings: Any) -> Decorator[Any]:
    return click.option(*names, expose_value=False, callback=_stored(field), **settings)


def _apply_all(command: F, decorators: Sequence[Decorator[Any]]) -> F:
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def file_option(command: F) -> F:
    """Which fleet.yaml, for commands that always read all of it."""
    return _option(
        "-f",
        "--file",
        field="file",
        type=click.Path(path_type=Path),
        default=DEFAULT_FILE,
        show_default=True,
        is_eager=True,
        help="The fleet.yaml to use.",
    )(command)


def fleet_options(command: F) -> F:
    """Which fleet.yaml, which part of it, how many clusters at a time."""
    return _apply_all(
        command,
        (
            file_option,
            _selecting("-e", "--environment", field="environments", noun="environment"),
            _selecting("-c", "--cluster", field="clusters", noun="cluster"),
            _selecting("-a", "--app", field="apps", noun="app"),
            _option(
                "-l",
                "--selector",
                field="selectors",
                multiple=True,
                metavar="SELECTOR",
                help="Only clusters with these labels, as in kubectl: tier=canary,region in (kr, us). Repeatable.",
            ),
            _option(
                "--parallel",
                field="parallel",
                type=click.IntRange(min=1),
                default=DEFAULT_PARALLEL,
                metavar="N",
                help=f"Clusters at a time.  [default: {DEFAULT_PARALLEL}, or as many as there are]",
            ),
        ),
    )


def _selecting(*names: str, field: str, noun: str) -> Decorator[Any]:
    return _option(
        *names,
        field=field,
        multiple=True,
        metavar="NAME",
        shell_complete=named(field),
        help=f"Only this {noun}. Repeatable.",
    )


def adopt_option(command: F) -> F:
    """For commands that plan: take over what other tools made, in this run."""
    return _option(
        "--adopt",
        field="adopt",
        is_flag=True,
        help="Take over objects that kubectl, Helm, Argo CD, Flux or Pulumi made.",
    )(command)


def protected_option(command: F) -> F:
    """For commands that delete: the way past a protection."""
    return _option(
        "--delete-protected",
        field="delete_protected",
        multiple=True,
        metavar="KIND/NS/NAME",
        help="Allow to delete this protected object (Namespace/NAME and the like without NS). Repeatable.",
    )(command)


def consent_options(command: F) -> F:
    """For commands that plan and apply: what is said yes to in this run."""
    return _apply_all(
        command,
        (
            _option(
                "--max-deletes",
                field="max_deletes",
                metavar="N|N%",
                help="Allow so many deletes and replaces on each cluster, whatever the limits say; also all of an app.",
            ),
            _option(
                "--confirm-deletes",
                field="confirm_deletes",
                is_flag=True,
                help="Do the deletes that wait for a confirmation (prune: confirm).",
            ),
            protected_option,
        ),
    )


def lock_option(command: F) -> F:
    """For commands that write to clusters."""
    return _option(
        "--lock-timeout",
        field="lock_timeout",
        type=Duration(zero=True),
        default="0s",
        metavar="DURATION",
        help="Wait so long for another run on the same cluster.  [default: 0s]",
    )(command)


def dirty_option(command: F) -> F:
    """For commands that apply: the way past ``requireCommit``."""
    return _option(
        "--allow-dirty",
        field="allow_dirty",
        metavar="REASON",
        default="",
        help="Apply files that are not committed or pushed (requireCommit); the reason is remembered.",
    )(command)


def override_option(command: F) -> F:
    """For commands that windows hold up."""
    return _option(
        "--override-windows",
        field="override_windows",
        metavar="REASON",
        default="",
        help="Ignore windows in this run; the reason is remembered.",
    )(command)


def pace_options(command: F) -> F:
    """For commands that roll out: what to do about closed windows."""
    return _apply_all(
        command,
        (
            _option(
                "--wait-for-windows",
                field="wait_for_windows",
                is_flag=True,
                help="Wait until a closed window opens, instead of ending with exit code 5.",
            ),
            override_option,
        ),
    )


def force_option(command: F) -> F:
    """For commands that plan: take fields that others hold and replace what cannot be changed, in this run."""
    return _option(
        "--force",
        field="force",
        is_flag=True,
        help="Take fields that others hold, and delete and create again what cannot be changed in place.",
    )(command)


def extra_fields_option(command: F) -> F:
    """For plans: what is live and not in Git."""
    return _option(
        "--extra-fields",
        field="extra_fields",
        is_flag=True,
        help="List live fields that Git does not name, and who wrote them.",
    )(command)


def verify_option(command: F) -> F:
    """For commands that plan: which objects the servers are asked about."""
    return _option(
        "--verify",
        field="verify",
        type=click.Choice(("always", "auto", "never")),
        default="auto",
        help="Ask the servers by dry run about every object, those that may differ, or none.  [default: auto]",
    )(command)


def engine_option(command: F) -> F:
    """For commands that plan: who performs."""
    return _option(
        "--engine",
        field="engine",
        type=click.Choice(("embedded", "pulumi")),
        help="Who performs the changes, on every cluster.  [default: what fleet.yaml says, else embedded]",
    )(command)


def output_options(command: F) -> F:
    """What to print and how, for commands whose result is a few facts."""
    return _apply_all(command, _output_options(FORMATS, "text (default), json or yaml"))


def report_options(command: F) -> F:
    """What to print and how, for commands whose result is a report on the fleet."""
    return _apply_all(
        command, _output_options(REPORT_FORMATS, "text (default), json, yaml, ndjson, markdown or github")
    )


def _output_options(formats: Sequence[str], listed: str) -> tuple[Decorator[Any], ...]:
    return (
        click.option(
            "-o",
            "--output",
            type=OutputType(formats),
            multiple=True,
            expose_value=False,
            is_eager=True,
            callback=_outputs,
            metavar="FORMAT[=FILE]",
            help=f"{listed}; =FILE writes to a file. Repeatable.",
        ),
        _option(
            "--color",
            field="colour",
            type=click.Choice(("auto", "always", "never")),
            default="auto",
            help="Colours.  [default: auto; NO_COLOR and FORCE_COLOR are obeyed]",
        ),
    )


def progress_option(command: F) -> F:
    """How the way there is shown."""
    return _option(
        "--progress",
        field="progress",
        type=click.Choice(("auto", "tty", "plain", "none")),
        default="auto",
        help="A live table, plain lines or nothing, on standard error.  [default: auto]",
    )(command)


def timings_option(command: F) -> F:
    """For commands that walk the clusters: where the time went, on standard error and in what programs read."""

    @functools.wraps(command)
    def timed(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        finally:
            stopwatch = click.get_current_context().ensure_object(Invocation).stopwatch
            if stopwatch is not None:
                text = importlib.import_module("fleetmgr.reporting.timings").timings_text(stopwatch.read())
                click.echo(f"\n{text}", nl=False, err=True)

    return click.option(
        "--timings",
        is_flag=True,
        expose_value=False,
        callback=_start_stopwatch,
        help="Show on standard error where the time went, and which requests were sent; also in json and yaml.",
    )(cast("F", timed))


def _start_stopwatch(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001, FBT001 - click's
    if value:
        module = importlib.import_module("fleetmgr.cli.stopwatch")
        ctx.ensure_object(Invocation).stopwatch = module.Stopwatch()


detailed_exitcode = click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes."
)
show_unchanged = click.option("--show-unchanged", is_flag=True, help="List what stays as it is as well.")
