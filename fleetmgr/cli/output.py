"""Writes a result in the formats that were asked for, to standard output and to files."""

from __future__ import annotations

from collections.abc import Callable

import click
from msgspec import Struct

from fleetmgr.cli.invocation import Invocation, Output
from fleetmgr.errors import FleetError, Where
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.encode import to_json, to_yaml
from fleetmgr.reporting.style import PLAIN, Paint


class Rendering(Struct, frozen=True, kw_only=True):
    """A result in its forms; each is built only when it is wanted.

    ``markdown`` None: the command's options do not offer it.
    """

    text: Callable[[Paint], str]
    data: Callable[[], JsonObject]
    markdown: Callable[[], str] | None = None


class OutputFailed(FleetError):
    """A result could not be written where it was wanted."""

    code = "FLT-6403"


def emit(invocation: Invocation, rendering: Rendering) -> None:
    """Write ``rendering`` to every output; to standard output as text when none of them goes there."""
    for output in invocation.outputs:
        if output.path is not None:
            _to_file(output, _encoded(output.format, rendering, PLAIN))
    echo(_encoded(invocation.stdout_format, rendering, stdout_paint(invocation)))


def emit_failure(invocation: Invocation, rendering: Rendering) -> None:
    """Write the failure of a whole run to every output that programs read; text stays on standard error.

    A file that cannot be written does not keep the others from it; raises OutputFailed at the end.
    """
    failed: OutputFailed | None = None
    for output in invocation.outputs:
        if output.format == "text":
            continue
        text = _encoded(output.format, rendering, PLAIN)
        try:
            echo(text) if output.path is None else _to_file(output, text)
        except OutputFailed as error:
            failed = error
    if failed is not None:
        raise failed


def echo(text: str, *, err: bool = False) -> None:
    """Write ``text`` as it is: whether it has colours was decided before."""
    click.echo(text, nl=False, err=err, color=True)


def stdout_paint(invocation: Invocation) -> Paint:
    """Colours for standard output."""
    settings = invocation.terminal
    return Paint(enabled=settings.colours(invocation.colour, tty=settings.stdout_tty))


def stderr_paint(invocation: Invocation) -> Paint:
    """Colours for standard error."""
    settings = invocation.terminal
    return Paint(enabled=settings.colours(invocation.colour, tty=settings.stderr_tty))


def _encoded(fmt: str, rendering: Rendering, paint: Paint) -> str:
    match fmt:
        case "json":
            return to_json(rendering.data())
        case "yaml":
            return to_yaml(rendering.data())
        case "markdown" if rendering.markdown is not None:
            return rendering.markdown()
        case _:
            return rendering.text(paint)


def _to_file(output: Output, text: str) -> None:
    if output.path is None:
        return
    try:
        output.path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputFailed(
            f"the {output.format} output cannot be written: {error.strerror or error}",
            where=Where(file=str(output.path)),
            hint="check the folder and its permissions",
        ) from error
