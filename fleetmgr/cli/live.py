"""The live table on a terminal: one row a cluster, never higher or wider than the screen. Loads rich."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fleetmgr.errors import ExitCode
from fleetmgr.model.enumeration import counted
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
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.events import sentence
from fleetmgr.reporting.wording import code_name

_REFRESH = 8
_SPARE_LINES = 2
_NARROW = 60
"""Below this many columns a row holds name, state, count and seconds only."""
_SHORTEST_NAME = 6
_DONE = code_name(ExitCode.OK)
_COLOURS = {
    "planning": "yellow",
    "applying": "yellow",
    "rolling back": "yellow",
    "waiting": "cyan",
    _DONE: "green",
}
_PHASES = {
    "preview": "planning",
    "apply": "applying",
    "verify": "waiting",
    "rollback": "rolling back",
    "destroy": "deleting",
}


class Row(Struct, kw_only=True):
    """A cluster's latest state; ``started`` and ``ended`` in monotonic seconds, ``objects`` 0 = not known."""

    cluster: str
    state: str = "planning"
    written: int = 0
    failed: int = 0
    objects: int = 0
    note: str = ""
    started: float = 0.0
    ended: float | None = None

    @property
    def rank(self) -> int:
        """What still goes on comes first, then what failed."""
        if self.ended is None:
            return 0
        return 2 if self.state == _DONE else 1

    @property
    def count(self) -> str:
        """``3/7``: objects that were tried, of how many."""
        tried = self.written + self.failed
        if not self.objects:
            return str(tried) if tried else ""
        return f"{tried}/{self.objects}"


class Rows:
    """Folds events into rows; safe to feed from several threads while it is drawn."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Empty until the first event; ``now`` in monotonic seconds."""
        self._rows: dict[str, Row] = {}
        self._lock = threading.Lock()
        self._now = now
        self._step = ""
        self._soaks_until: float | None = None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            match event:
                case WaveStarted() | Soaking():
                    soaking = isinstance(event, Soaking)
                    self._step = step_name(event) + ("" if soaking else f" ({event.number} of {event.of})")
                    self._soaks_until = self._now() + event.seconds if soaking else None
                case RolloutStopped():
                    self._step, self._soaks_until = f"{event.status}: {event.why}", None
                case _:
                    self._of_cluster(event)

    def _of_cluster(self, event: ClusterEvent) -> None:
        row = self._rows.get(event.cluster)
        if row is None:
            row = self._rows[event.cluster] = Row(cluster=event.cluster, started=self._now())
        row.note = sentence(event)
        match event:
            case ClusterStarted():
                row.state = _PHASES.get(event.phase, event.phase)
                row.started, row.ended, row.objects = self._now(), None, event.objects
            case ObjectChanged():
                row.state = "applying"
                row.written += 1
                row.note = f"{visible(event.app)}: {row.note}"
            case ObjectFailed():
                row.failed += 1
                row.note = f"{visible(event.app)}: {row.note}"
            case Waiting() | LockAwaited():
                row.state = "waiting"
            case ClusterFinished():
                row.state = code_name(event.exit_code)
                row.ended = self._now()

    def step(self) -> str:
        """The step of the rollout in hand, and how long it must stay healthy yet; "" before there is one."""
        with self._lock:
            if self._soaks_until is None:
                return self._step
            left = max(0.0, self._soaks_until - self._now())
            return f"{self._step}: must stay healthy for another {span(left)}"

    def visible_rows(self, height: int) -> tuple[list[Row], str]:
        """At most ``height`` rows, those that still run first, and a line that counts the rest."""
        with self._lock:
            rows = sorted(self._rows.values(), key=lambda row: row.rank)
            if len(rows) <= height:
                return [replace(row) for row in rows], ""
            hidden = rows[height - 1 :]
            states = dict.fromkeys(row.state for row in hidden)
            counts = ", ".join(f"{sum(r.state == state for r in hidden)} {state}" for state in states)
            rest = f"and {counted(len(hidden), 'more cluster')}: {counts}"
            return [replace(row) for row in rows[: height - 1]], rest

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what fits; texts are never read as markup."""
        width = max(options.max_width - 1, 1)  # a full last column makes some terminals wrap
        rows, rest = self.visible_rows(max(console.size.height - _SPARE_LINES, 2))
        narrow = width < _NARROW
        if step := self.step():
            yield Text(visible(step), style="bold", no_wrap=True, overflow="ellipsis")
            rows, rest = self.visible_rows(max(console.size.height - _SPARE_LINES - 1, 2))
        table = Table(
            box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, width=None if narrow else width
        )
        table.add_column(no_wrap=True, overflow="ellipsis", min_width=_SHORTEST_NAME, max_width=width // 3)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for _ in range(2):
            table.add_column(no_wrap=True, justify="right")
        if not narrow:
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        now = self._now()
        for row in rows:
            seconds = (now if row.ended is None else row.ended) - row.started
            cells = [
                Text(visible(row.cluster)),
                Text(row.state, style=_COLOURS.get(row.state, "red")),
                Text(row.count),
                Text(f"{max(seconds, 0):.0f}s"),
            ]
            table.add_row(*cells, *([] if narrow else [Text(row.note)]))
        yield table
        if rest:
            yield Text(rest, no_wrap=True, overflow="ellipsis")


@contextmanager
def table(*, coloured: bool) -> Generator[EventSink, None, None]:
    """Draw on standard error until the block ends, then leave no trace; the result that follows says it all.

    When the block fails, the last picture stays: it says how far each cluster came.
    """
    rows = Rows()
    # what the streams are was decided before: rich would obey FORCE_COLOR and draw into a pipe
    console = Console(stderr=True, no_color=not coloured, highlight=False, force_terminal=True)
    with Live(rows, console=console, transient=True, refresh_per_second=_REFRESH) as live:
        try:
            yield rows
        except BaseException:
            live.transient = False
            raise
