"""Running a command as a whole process: wall time, CPU time and peak memory, and printing tables of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""As an installed program runs: with its bytecode cached, whatever the shell of the benchmark says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run: seconds of wall and CPU time, peak resident memory in MB, exit code."""

    wall: float
    cpu: float
    memory: float
    code: int


def run_once(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    env: dict[str, str] | None = None,
    expect: Sequence[int] = (0,),
) -> Sample:
    """Run a command with its output thrown away; raises SystemExit on an unexpected exit code."""
    started = time.monotonic()
    with subprocess.Popen(
        list(command),
        cwd=cwd,
        env={**_ENVIRONMENT, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        message = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if process.returncode not in expect:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{message.decode()[-2000:]}")
    return Sample(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / 1024,
        code=process.returncode,
    )


def median(samples: Sequence[Sample], field: str) -> float:
    """The median of one figure."""
    return statistics.median(getattr(s, field) for s in samples)


def interleaved(
    commands: Mapping[str, Sequence[str]], *, runs: int, cwd: Path = ROOT
) -> dict[str, list[Sample]]:
    """Each command ``runs`` times, taking turns, so that a noisy machine is noisy for all of them."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for command in commands.values():
        run_once(command, cwd=cwd)  # warm caches
    for _ in range(runs):
        for name, command in commands.items():
            samples[name].append(run_once(command, cwd=cwd))
    return samples


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print an aligned table, first column to the left."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    for row in (header, ["-" * w for w in widths], *rows):
        cells = [
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells))
    print(flush=True)
