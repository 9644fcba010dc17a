"""This machine: its clock, its folders."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """Implements ports.clock.Clock with the machine's clock."""

    def now(self) -> datetime:
        """The current time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Pause this thread."""
        time.sleep(seconds)


class LinuxProcesses:
    """Implements ports.processes.Processes with /proc; elsewhere no process has an identity.

    ``<machine>/<pid>/<start>``: the machine is its boot and pid namespace, hashed; the start of a process in clock
    ticks since boot, because pids are used again.
    """

    def this(self) -> str:
        """Our identity."""
        start = _start_of(os.getpid())
        return f"{_boot()}/{os.getpid()}/{start}" if start and _boot() else ""

    def dead(self, identity: str) -> bool:
        """Whether the process runs no more: nobody has its pid, or somebody else does, or it is a zombie."""
        machine, _, rest = identity.partition("/")
        pid, _, start = rest.partition("/")
        if not machine or machine != _boot() or not pid.isdecimal() or not start:
            return False
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except OSError:  # it runs, as another user
            return False
        now = _start_of(int(pid))
        return now is not None and now != start


def _start_of(pid: int) -> str | None:
    """Start of a process, "" for a zombie, None where it cannot be read (proc(5), fields 3 and 22 of stat)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except OSError:
        return None
    state, *others = fields.split()
    return "" if state in ("Z", "X") else others[18]


def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:16]


def xdg(variable: str, default: Path) -> Path:
    """An XDG base folder; the specification says to ignore relative values."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else default
