"""The live table: its rows in any width and height, and on a real pseudo terminal through a small screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.console import Console

from fleetmgr.cli.live import Rows
from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import Op
from fleetmgr.model.event import ClusterFinished, ClusterStarted, ObjectChanged, ObjectFailed, Waiting
from tests.cli.conftest import Cli, Fleet
from tests.reporting.fleets import WEB, cluster, plan_of

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")


def drawn(rows: Rows, *, width: int = 100, height: int = 24) -> list[str]:
    console = Console(width=width, height=height, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(rows)
    return [line.rstrip() for line in capture.get().splitlines()]


def busy() -> Rows:
    seconds = iter([0.0, 1.0, 2.0, 2.0, 2.0, 3.0, *[12.0] * 50])
    rows = Rows(lambda: next(seconds))
    rows(ClusterStarted(cluster="dev-1", phase="apply", objects=7))
    rows(ObjectChanged(cluster="dev-1", app="web", op=Op.CREATE, ref=WEB))
    rows(ObjectFailed(cluster="dev-1", app="web", ref=WEB, problem=Problem(message="no\x1b[2J")))
    rows(ClusterStarted(cluster="[bold]b", phase="apply", objects=3))
    rows(Waiting(cluster="[bold]b", app="api", ready=1, total=3, message="pods are starting"))
    rows(ClusterFinished(cluster="c", phase="preview", exit_code=ExitCode.OK, summary="no changes"))
    return rows


def test_each_cluster_in_a_row() -> None:
    assert drawn(busy()) == [
        "dev-1    applying  2/7  11s  web: failed Deployment shop-web/web: no\\x1b[2J",
        "[bold]b  waiting   0/3  10s  waiting for api, 1 of 3 ready: pods are starting",
        "c        done            1s  preview finished: no changes",
    ]


def test_a_narrow_terminal_gets_what_matters() -> None:
    assert drawn(busy(), width=50) == [
        "dev-1    applying  2/7  11s",
        "[bold]b  waiting   0/3  10s",
        "c        done            1s",
    ]


@pytest.mark.parametrize("width", [1, 5, 12, 20, 40, 59, 60, 61, 80, 200])
def test_no_width_is_exceeded(width: int) -> None:
    assert all(len(line) <= width for line in drawn(busy(), width=width))


def test_the_table_never_outgrows_the_screen() -> None:
    rows = Rows()
    for number in range(100):
        rows(ClusterFinished(cluster=f"c{number}", phase="preview", exit_code=ExitCode.OK, summary=""))
    rows(ClusterFinished(cluster="bad", phase="preview", exit_code=ExitCode.PARTIAL, summary="no answer"))
    rows(ClusterStarted(cluster="late", phase="preview"))
    lines = drawn(rows, height=10)
    assert len(lines) == 8
    assert lines[0].startswith("late  ")
    assert lines[1].startswith("bad  ")
    assert lines[-1] == "and 95 more clusters: 95 done"


class Screen:
    """Just enough of a terminal to see what is on it at the end."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.lines: list[str] = [""]
        self.row = self.column = self.deepest = 0
        self.cursor = True

    def feed(self, text: str) -> None:
        position = 0
        while position < len(text):
            match = CODE.match(text, position)
            if match:
                self._code(match[1], match[2], match[3])
                position = match.end()
            else:
                self._character(text[position])
                position += 1

    def _code(self, private: str, number: str, letter: str) -> None:
        if private and number == "25":
            self.cursor = letter == "h"
        elif letter == "A":
            self.row = max(self.row - int(number or 1), 0)
        elif letter == "K":
            self.lines[self.row] = ""
        else:
            assert letter == "m", f"an unknown code: {letter}"

    def _character(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            self.deepest = max(self.deepest, self.row)
            if self.row == len(self.lines):
                self.lines.append("")
        else:
            assert character.isprintable()
            assert self.column < self.width, "a line wraps"
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    @property
    def text(self) -> list[str]:
        return [line.rstrip() for line in self.lines if line.strip()]


SCRIPT = """
import time
from fleetmgr.cli.live import table
from fleetmgr.errors import ExitCode
from fleetmgr.model.event import ClusterFinished, ClusterStarted
try:
    with table(coloured={coloured}) as sink:
        for n in range(40):
            sink(ClusterStarted(cluster=f"cluster-{{n}}", phase="apply", objects=3))
        time.sleep(0.3)
        for n in range(38):
            sink(ClusterFinished(cluster=f"cluster-{{n}}", phase="apply", exit_code=ExitCode.OK, summary="ok"))
        time.sleep(0.3)
        if {fails}:
            raise ValueError
except ValueError:
    pass
"""


def on_a_terminal(script: str, *, width: int, height: int, **environment: str) -> tuple[Screen, str]:
    """What ``script`` leaves on a terminal of that size, and all that it wrote."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    settings = {"PATH": os.defpath, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **environment}
    running = subprocess.Popen(
        [sys.executable, "-c", script], stdin=child, stdout=child, stderr=child, env=settings
    )
    os.close(child)
    raw = b""
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        raw += chunk
    assert running.wait() == 0, raw.decode()
    os.close(parent)
    screen = Screen(width, height)
    screen.feed(raw.decode())
    return screen, raw.decode()


def test_on_a_terminal_it_is_redrawn_in_place_and_leaves_nothing() -> None:
    screen, raw = on_a_terminal(SCRIPT.format(coloured=True, fails=False), width=80, height=10)
    assert "cluster-39" in raw
    assert "\x1b[3" in raw
    assert screen.deepest < 10
    assert screen.text == []
    assert screen.cursor


def test_a_run_that_fails_leaves_its_last_picture() -> None:
    script = SCRIPT.format(coloured=False, fails=True)
    screen, raw = on_a_terminal(script, width=40, height=10)
    assert screen.text[:2] == [line for line in screen.text[:2] if re.search(r"applying +0/3", line)]
    assert screen.text[-1] == "and 33 more clusters: 33 done"
    assert len(screen.text) == 8
    assert screen.cursor
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", raw)


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_nothing_is_redrawn_off_a_terminal(cli: Cli, fleet: Fleet, environment: dict[str, str]) -> None:
    fleet.plan = plan_of(cluster("dev-1"))
    result = cli("plan", "--progress", "tty", **environment)
    assert "dev-1: preview started\n" in result.err
    assert "\x1b" not in result.err
