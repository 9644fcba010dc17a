"""Processes that outlive this one: started apart, recognised later, stopped as groups.

A process is known by its pid and its start: a pid alone is reused. Each carries an
environment variable that names its sandbox, so that one that was started by a call which
was killed before it could note the pid is found too (Linux).
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from fleetmgr.ports.clock import Clock

PROC = Path("/proc")
SANDBOX_VARIABLE = "FLEETMGR_SANDBOX"
COMPONENT_VARIABLE = "FLEETMGR_SANDBOX_COMPONENT"
POLL_SECONDS = 0.05


class Process(Struct, frozen=True, kw_only=True):
    """A process that was seen alive. ``started`` is opaque: compare, do not read."""

    pid: int
    started: str


class Usage(Struct, frozen=True, kw_only=True):
    """``rss`` in bytes, ``uptime`` in seconds."""

    rss: int
    uptime: float


def spawn(argv: Sequence[str], *, log: Path, root: Path, key: str) -> Process | None:
    """Start ``argv`` in its own session, output to ``log`` (the earlier one is kept as .1).

    Returns None when it has ended before it could be looked at. Raises OSError when it
    cannot be started at all.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    # A small environment of its own: proxies, KUBECONFIG or ~/.kwok of the user must not matter.
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(root),
        SANDBOX_VARIABLE: str(root),
        COMPONENT_VARIABLE: key,
    }
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - argv is ours, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=root,
            env=environment,
        )
    # Waits in the background, so that a child which dies while we live is no zombie.
    threading.Thread(target=child.wait, daemon=True).start()
    return find(child.pid)


def find(pid: int) -> Process | None:
    """The live process with that pid, None when there is none (a zombie is none)."""
    started = identity(pid)
    return None if started is None else Process(pid=pid, started=started)


def is_alive(process: Process) -> bool:
    """Whether exactly this process still runs."""
    return identity(process.pid) == process.started


def identity(pid: int) -> str | None:
    """What tells this process from an earlier or later one with the same pid."""
    if not PROC.is_dir():
        fields = _ps(pid, "state=,lstart=").split(maxsplit=1)
        return None if not fields[1:] or fields[0].startswith("Z") else fields[1]
    fields = _stat(pid)
    # A killed process is a zombie from its main thread's end on, but holds its ports and
    # files until the last of its threads has ended.
    if fields is None or (fields[0] in {"Z", "X"} and int(fields[17]) <= 1):
        return None
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{fields[19]}"
    return fields[19]


def usage(process: Process) -> Usage | None:
    """Memory and age, None when it no longer runs."""
    if not is_alive(process):
        return None
    if not PROC.is_dir():
        fields = _ps(process.pid, "rss=,etime=").split()
        return Usage(rss=int(fields[0]) * 1024, uptime=_seconds(fields[1])) if fields else None
    fields = _stat(process.pid)
    if fields is None:
        return None
    since_boot = float((PROC / "uptime").read_text(encoding="ascii").split()[0])
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    rss = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return Usage(rss=rss, uptime=max(0.0, since_boot - started))


def strays(root: Path, known: Iterable[Process], *, key: str | None = None) -> list[Process]:
    """Processes of the sandbox at ``root`` (of one component) that are not ``known``."""
    marks = {f"{SANDBOX_VARIABLE}={root}".encode()}
    if key is not None:
        marks.add(f"{COMPONENT_VARIABLE}={key}".encode())
    expected = {process.pid for process in known}
    found: list[Process] = []
    for folder in PROC.glob("[0-9]*"):
        pid = int(folder.name)
        if pid in expected or pid == os.getpid():
            continue
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or another user's
            continue
        process = find(pid)
        if process is not None and marks <= set(variables):
            found.append(process)
    return found


def stop(processes: Iterable[Process], *, clock: Clock, grace: float) -> None:
    """SIGTERM to each process group, SIGKILL to what is left after ``grace`` seconds.

    Returns when all are gone. Each is looked at again just before it is signalled.
    """
    left = [process for process in processes if _signal(process, signal.SIGTERM)]
    deadline = clock.monotonic() + grace
    while left and clock.monotonic() < deadline:
        clock.sleep(POLL_SECONDS)
        left = [process for process in left if is_alive(process)]
    left = [process for process in left if _signal(process, signal.SIGKILL)]
    while left:
        clock.sleep(POLL_SECONDS)
        left = [process for process in left if is_alive(process)]


def _signal(process: Process, number: signal.Signals) -> bool:
    if not is_alive(process):
        return False
    with suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
    return True


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on (the name before it may hold anything)."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _ps(pid: int, columns: str) -> str:
    """Columns of ps, for systems without /proc; empty when there is no such process."""
    answer = subprocess.run(  # noqa: S603 - fixed program, numeric argument
        ["/bin/ps", "-o", columns, "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    return answer.stdout.strip()


def _seconds(elapsed: str) -> float:
    """Seconds of ps' ``[[dd-]hh:]mm:ss``."""
    days, _, clock = elapsed.rpartition("-")
    total = 0
    for part in clock.split(":"):
        total = total * 60 + int(part)
    return float(int(days or 0) * 86400 + total)
