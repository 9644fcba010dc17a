"""Two processes never hold one lock; a dead one holds none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleetmgr.adapters.locks.flock import FileLocks, LockHeld
from fleetmgr.errors import ExitCode
from tests.fakes.clock import FakeClock

HOLDER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(fd, fcntl.LOCK_EX)
os.write(fd, str(os.getpid()).encode())
print("held", flush=True)
sys.stdin.read()
"""


def test_a_held_lock_is_waited_for_then_reported_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    said: list[str] = []
    locks = FileLocks(FakeClock())
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(LockHeld) as caught,
            locks.hold(path, what="a build", timeout=5, progress=said.append),
        ):
            pytest.fail("two hold it")
        assert caught.value.exit_code is ExitCode.LOCKED
        assert f"pid {holder.pid}" in caught.value.message
        assert said == [f"waiting: another process (pid {holder.pid}) is at a build"]
        holder.kill()
        holder.wait()
        with locks.hold(path, what="a build", timeout=5, progress=said.append):
            pass
    assert len(said) == 1


def test_the_lock_is_free_after_the_block_and_after_an_error(tmp_path: Path) -> None:
    locks = FileLocks(FakeClock())
    path = tmp_path / "deep" / "lock"
    with pytest.raises(RuntimeError), locks.hold(path, what="x", timeout=0, progress=print):
        raise RuntimeError
    with locks.hold(path, what="x", timeout=0, progress=print):
        pass
