"""Writes a result in the formats that were asked for, to standard output and to files."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path

import click
from msgspec import Struct

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.terminal import GithubJob
from fleetmgr.errors import FleetError, Where
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.encode import to_json, to_yaml
from fleetmgr.reporting.github import Workflow, defused, step_outputs, workflow_text
from fleetmgr.reporting.ndjson import document_line
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.whole_files import write_whole

_TIMED = frozenset({"Plan", "Drift", "ApplyResult"})


class Rendering(Struct, frozen=True, kw_only=True):
    """A result in its forms; each is built only when it is wanted.

    ``markdown`` or ``workflow`` None: the command's options do not offer it.
    """

    text: Callable[[Paint], str]
    data: Callable[[], JsonObject]
    markdown: Callable[[], str] | None = None
    workflow: Callable[[], Workflow] | None = None


class OutputFailed(FleetError):
    """A result could not be written where it was wanted."""

    code = "FLT-6403"


def emit(invocation: Invocation, rendering: Rendering) -> None:
    """Write ``rendering`` to every output; to standard output as text when none of them goes there."""
    for output in invocation.outputs:
        if output.path is not None:
            _to_file(
                output.path,
                output.format,
                _encoded(output.format, rendering, PLAIN, invocation),
                mode=_mode(invocation, output.path),
            )
    fmt = invocation.stdout_format
    text = _encoded(fmt, rendering, stdout_paint(invocation), invocation)
    echo(defused(text) if fmt == "text" and invocation.github.active else text)
    if fmt == "github":
        _to_job(invocation.github, rendering)


def emit_failure(invocation: Invocation, rendering: Rendering) -> None:
    """Write the failure of a whole run to every output that programs read; text stays on standard error.

    A file that cannot be written does not keep the others from it; raises OutputFailed at the end.
    """
    failed: OutputFailed | None = None
    to_stdout = [output for output in invocation.outputs if output.path is None][:1]  # it holds one document
    for output in (*to_stdout, *(output for output in invocation.outputs if output.path is not None)):
        if output.format == "text":
            continue
        text = _encoded(output.format, rendering, PLAIN, invocation)
        try:
            if output.path is None:
                echo(text)
            else:
                _to_file(output.path, output.format, text, mode=_mode(invocation, output.path))
            if output.format == "github":
                _to_job(invocation.github, rendering)
        except OutputFailed as error:
            failed = error
    if failed is not None:
        raise failed


def stream(invocation: Invocation, line: str) -> None:
    """Write a line of the run to every ndjson output while the run goes on; it can be read at once."""
    for output in invocation.outputs:
        if output.format != "ndjson":
            continue
        if output.path is None:
            echo(line)
        else:
            _to_file(output.path, output.format, line, mode=_mode(invocation, output.path))
            invocation.streamed.add(output.path)


def _mode(invocation: Invocation, path: Path) -> str:
    """A file that holds lines of this run is continued, every other one replaced."""
    return "a" if path in invocation.streamed else "w"


def github_text(invocation: Invocation, workflow: Workflow) -> str:
    """Workflow commands, with files as seen from the repository's folder."""
    root = Path(invocation.github.workspace or ".").resolve()
    folder = invocation.file.parent.resolve()
    inside = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else ""
    return workflow_text(workflow, stop=os.urandom(16).hex(), folder=inside)


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


def _encoded(fmt: str, rendering: Rendering, paint: Paint, invocation: Invocation) -> str:
    match fmt:
        case "json":
            return to_json(_data(rendering, invocation))
        case "yaml":
            return to_yaml(_data(rendering, invocation))
        case "ndjson":
            return document_line(_data(rendering, invocation))
        case "markdown" if rendering.markdown is not None:
            return rendering.markdown()
        case "github" if rendering.workflow is not None:
            return github_text(invocation, rendering.workflow())
        case _:
            return rendering.text(paint)


def _data(rendering: Rendering, invocation: Invocation) -> JsonObject:
    """The result as data, with the timings where they were asked for and the document is about the run."""
    data = rendering.data()
    if invocation.stopwatch is not None and data.get("kind") in _TIMED:
        timings = importlib.import_module("fleetmgr.reporting.timings")
        data["timings"] = timings.timings_data(invocation.stopwatch.read())
    return data


def _to_job(job: GithubJob, rendering: Rendering) -> None:
    """What a step leaves behind: its summary and its outputs, where the job asks for them."""
    if job.summary is not None and rendering.markdown is not None:
        _to_file(Path(job.summary), "summary", rendering.markdown(), mode="a")
    if job.output is not None:
        _to_file(Path(job.output), "step", step_outputs(rendering.data()), mode="a")


def _to_file(path: Path, what: str, text: str, *, mode: str = "w") -> None:
    try:
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise cannot_write(f"{what} output", path, error) from error


def to_owner(what: str, path: Path, content: bytes) -> None:
    """Write a file for whoever asked for it: all of it or nothing, readable by its owner only. A link stays one, and a
    pipe or a device is written to. Raises OutputFailed."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            write_whole(path.resolve(), content)
    except OSError as error:
        raise cannot_write(what, path, error) from error


def cannot_write(what: str, path: Path, error: OSError) -> OutputFailed:
    """The error of a file that was to be written for somebody."""
    return OutputFailed(
        f"the {what} cannot be written: {error.strerror or error}",
        where=Where(file=str(path)),
        hint="check the folder and its permissions",
    )
