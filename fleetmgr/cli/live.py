"""The live table on a terminal: one row a cluster, never higher than the screen. Loads rich."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fleetmgr.cli.progress import sentence
from fleetmgr.errors import ExitCode
from fleetmgr.model.event import (
    ClusterFinished,
    ClusterStarted,
    Event,
    EventSink,
    ObjectChanged,
    ObjectFailed,
)
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.wording import counted

_REFRESH = 8
_SPARE_LINES = 2
_ORDER = {"running": 0, "failed": 1, "done": 2}
_COLOURS = {"running": "yellow", "failed": "red", "done": "green"}


class Row(Struct, kw_only=True):
    """A cluster's latest state."""

    cluster: str
    state: str = "running"
    written: int = 0
    failed: int = 0
    note: str = ""


class Rows:
    """Folds events into rows; safe to feed from several threads while it is drawn."""

    def __init__(self) -> None:
        """Empty until the first event."""
        self._rows: dict[str, Row] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            row = self._rows.setdefault(event.cluster, Row(cluster=event.cluster))
            row.note = sentence(event)
            match event:
                case ClusterStarted():
                    row.state = "running"
                case ObjectChanged():
                    row.written += 1
                case ObjectFailed():
                    row.failed += 1
                case ClusterFinished():
                    row.state = "done" if event.exit_code is ExitCode.OK else "failed"
                case _:
                    pass

    def visible_rows(self, height: int) -> tuple[list[Row], str]:
        """At most ``height`` rows, those that still run first, and a line that counts the rest."""
        with self._lock:
            rows = sorted(self._rows.values(), key=lambda row: _ORDER[row.state])
            if len(rows) <= height:
                return [replace(row) for row in rows], ""
            hidden = rows[height - 1 :]
            states = {state: sum(1 for row in hidden if row.state == state) for state in _ORDER}
            counts = ", ".join(f"{number} {state}" for state, number in states.items() if number)
            rest = f"and {counted(len(hidden), 'more cluster')}: {counts}"
            return [replace(row) for row in rows[: height - 1]], rest

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what fits; texts are never read as markup."""
        rows, rest = self.visible_rows(max(console.size.height - _SPARE_LINES, 2))
        table = Table(box=None, show_header=False, padding=(0, 1), width=options.max_width)
        for ratio in (None, None, None, 1):
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=ratio)
        for row in rows:
            counts = f"{row.written} written" if row.written else ""
            failed = f"{row.failed} failed" if row.failed else ""
            table.add_row(
                Text(visible(row.cluster)),
                Text(row.state, style=_COLOURS[row.state]),
                Text(", ".join(part for part in (counts, failed) if part)),
                Text(row.note),
            )
        yield table
        if rest:
            yield Text(rest)


@contextmanager
def table(*, coloured: bool) -> Generator[EventSink, None, None]:
    """Draw on standard error until the block ends, then leave no trace."""
    rows = Rows()
    console = Console(stderr=True, no_color=not coloured, highlight=False)
    with Live(rows, console=console, transient=True, refresh_per_second=_REFRESH):
        yield rows
