"""How the way to a result is shown on standard error: a live table, plain lines, or nothing."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import assert_never, cast

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.output import OutputFailed, echo, stream
from fleetmgr.errors import ExitCode
from fleetmgr.model.event import (
    ClusterEvent,
    ClusterFinished,
    ClusterStarted,
    Event,
    EventSink,
    LockAwaited,
    ObjectChanged,
    ObjectFailed,
    RolloutStopped,
    Soaking,
    Waiting,
    WaveStarted,
    step_name,
)
from fleetmgr.model.timespan import span
from fleetmgr.reporting.apply_text import PAST
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.github import defused
from fleetmgr.reporting.ndjson import document_line, event_data
from fleetmgr.reporting.wording import code_name, names


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


def subject(event: Event) -> str:
    """What an event is about: a cluster, a wave, the rollout."""
    match event:
        case WaveStarted() | Soaking():
            return step_name(event)
        case RolloutStopped():
            return f"rollout {event.rollout}" if event.rollout else "rollout"
        case _:
            return event.cluster


def sentence(event: Event) -> str:
    """An event in words, without what it is about."""
    match event:
        case WaveStarted():
            return f"step {event.number} of {event.of} begins: {names(event.clusters)}"
        case Soaking():
            return f"all done, must stay healthy for {span(event.seconds)}"
        case RolloutStopped():
            return f"{event.status}: {visible(event.why)}"
        case _:
            return _of_cluster(event)


def _of_cluster(event: ClusterEvent) -> str:
    match event:
        case ClusterStarted():
            return f"{event.phase} started"
        case ObjectChanged():
            return f"{PAST.get(event.op, event.op.value)} {visible(event.ref.short)}"
        case ObjectFailed():
            return f"failed {visible(event.ref.short)}: {visible(event.problem.message)}"
        case Waiting():
            message = f": {visible(event.message)}" if event.message else ""
            return f"waiting for {visible(event.app)}, {event.ready} of {event.total} ready{message}"
        case LockAwaited():
            return f"waiting for the lease of {visible(event.holder)}"
        case ClusterFinished():
            how = "finished" if event.exit_code is ExitCode.OK else code_name(event.exit_code)
            return (
                f"{event.phase} {how}: {visible(event.summary)}" if event.summary else f"{event.phase} {how}"
            )
        case _:
            assert_never(event)


def _timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
