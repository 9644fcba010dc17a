"""How the way to a result is shown on standard error: a live table, plain lines, or nothing."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import cast

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import OutputFailed, echo, stream
from fleetmgr.model.event import Event, EventSink
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.events import sentence, subject
from fleetmgr.reporting.github import defused
from fleetmgr.reporting.ndjson import document_line, event_data


@contextmanager
def shown(invocation: Invocation) -> Generator[EventSink, None, None]:
    """A sink that shows events while the block runs; it may be called from any thread."""
    mode = invocation.progress
    settings = invocation.terminal
    if mode == "auto":
        mode = "tty" if settings.can_redraw else "plain"
    elif mode == "tty" and not (settings.stderr_tty and not settings.dumb):
        mode = "plain"  # nothing is redrawn where it cannot be
    with _sink(mode, invocation) as sink:
        heard = _streamed(invocation, sink) if _streams(invocation) else sink
        yield heard if invocation.stopwatch is None else invocation.stopwatch.hearing(heard)


def _streams(invocation: Invocation) -> bool:
    return any(output.format == "ndjson" for output in invocation.outputs)


def _streamed(invocation: Invocation, sink: EventSink) -> EventSink:
    """``sink``, and every ndjson output; lines of several threads never mix."""
    lock = threading.Lock()

    def both(event: Event) -> None:
        with lock, suppress(OSError, OutputFailed):  # a reader that left stops no apply; the result will tell
            stream(invocation, document_line(event_data(event, time=_timestamp())))
        sink(event)

    return both


def _sink(mode: str, invocation: Invocation) -> AbstractContextManager[EventSink]:
    match mode:
        case "none":
            return nullcontext(lambda _: None)
        case "tty":
            live = importlib.import_module(
                "fleetmgr.cli.live"
            )  # rich is only for those who look at a terminal
            coloured = invocation.terminal.colours(invocation.colour, tty=invocation.terminal.stderr_tty)
            return cast("AbstractContextManager[EventSink]", live.table(coloured=coloured))
        case _:
            in_job = invocation.github.active or invocation.stdout_format == "github"
            said = defused if in_job else str
            return nullcontext(PlainLines(lambda line: echo(said(line), err=True), _timestamp))


class PlainLines:
    """One line for each state change, with the time; for logs."""

    def __init__(self, write: Callable[[str], None], timestamp: Callable[[], str]) -> None:
        """``write`` takes a whole line; it is never called by two threads at once."""
        self._write = write
        self._timestamp = timestamp
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write the event's line."""
        with self._lock:
            self._write(f"{self._timestamp()} {visible(subject(event))}: {sentence(event)}\n")


def _timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
