"""Advisory file locks (flock): the kernel frees them when the holder dies, even by SIGKILL."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from fleetmgr.errors import ExitCode, FleetError, Where
from fleetmgr.ports.clock import Clock

POLL_SECONDS = 0.2


class LockHeld(FleetError):
    """Another process of ours holds the lock and did not let go in time."""

    code: ClassVar[str] = "FLT-4001"
    exit_code: ClassVar[ExitCode] = ExitCode.LOCKED


class FileLocks:
    """Implements ports.locks.Locks with one flock per path."""

    def __init__(self, clock: Clock) -> None:
        """``clock`` measures the waiting."""
        self._clock = clock

    @contextmanager
    def hold(
        self, path: Path, *, what: str, timeout: float, progress: Callable[[str], None]
    ) -> Generator[None]:
        """See ports.locks.Locks.hold. The file stays: removing it would let two hold it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._acquire(descriptor, path, what=what, timeout=timeout, progress=progress)
            yield
        finally:
            os.close(descriptor)

    def _acquire(
        self,
        descriptor: int,
        path: Path,
        *,
        what: str,
        timeout: float,
        progress: Callable[[str], None],
    ) -> None:
        deadline = self._clock.monotonic() + timeout
        announced = False
        while not _try_lock(descriptor):
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            if not announced:
                progress(f"waiting: another process (pid {holder}) is at {what}")
                announced = True
            if self._clock.monotonic() >= deadline:
                raise LockHeld(
                    f"another process (pid {holder}) is still at {what} after {timeout:.0f} s",
                    where=Where(file=str(path)),
                    hint="wait for it to end, or end it",
                )
            self._clock.sleep(POLL_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
