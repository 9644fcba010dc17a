"""Starting one component, with small scripts in the place of etcd and kwok."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Container, Iterator
from pathlib import Path

import pytest

from fleetmgr.adapters.locks.flock import FileLocks
from fleetmgr.adapters.sandbox import loopback, processes
from fleetmgr.adapters.sandbox.errors import (
    SandboxNoSpace,
    SandboxStartFailed,
    SandboxStateBroken,
    SandboxTimeout,
)
from fleetmgr.adapters.sandbox.layout import ETCD, Layout, layout_of
from fleetmgr.adapters.sandbox.ledger import Entry, open_ledger
from fleetmgr.adapters.sandbox.local import LocalSandbox
from fleetmgr.adapters.sandbox.starting import Cancelled, Starter, live
from fleetmgr.errors import ExitCode
from fleetmgr.ports.sandbox import UpRequest
from fleetmgr.wiring.machine import SystemClock
from tests.adapters.sandbox.programs import DEAF, SERVER, STUBBORN, program

KWOK = "box-1/kwok"


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    """Paths of a sandbox; whatever was started below it is stopped."""
    layout = layout_of("box", state_home=tmp_path / "state", home=tmp_path)
    layout.root.mkdir(parents=True)
    yield layout
    processes.stop(processes.strays(layout.root, ()), clock=SystemClock(), grace=0.2)


def starter(layout: Layout, script: str, *, seconds: float = 20.0) -> Starter:
    clock = SystemClock()
    tool = program(layout.root.parent, script)
    return Starter(
        layout=layout,
        ledger=open_ledger(layout),
        tools={ETCD: tool, "kwok": tool},
        clock=clock,
        deadline=clock.monotonic() + seconds,
    )


def start(layout: Layout, key: str = KWOK) -> processes.Process:
    begin = starter(layout, SERVER)
    assert begin.launch(key)
    begin.await_ready(key)
    found = live(open_ledger(layout).entry(key))
    assert found is not None
    return found


def test_a_ready_component_is_remembered_with_its_ports(layout: Layout) -> None:
    process = start(layout, ETCD)
    entry = open_ledger(layout).entry(ETCD)
    assert entry is not None
    assert (entry.pid, len(set(entry.ports))) == (process.pid, 2)
    assert all(loopback.FIRST <= port <= loopback.LAST for port in entry.ports)
    assert layout.ledger.stat().st_mode & 0o777 == 0o600


def test_a_running_component_is_left_alone(layout: Layout) -> None:
    process = start(layout)
    assert starter(layout, SERVER).launch(KWOK) is False
    assert processes.is_alive(process)


def test_a_dead_component_comes_back_at_its_port(layout: Layout) -> None:
    process = start(layout)
    before = open_ledger(layout).entry(KWOK)
    processes.stop([process], clock=SystemClock(), grace=0.2)
    assert start(layout) != process
    after = open_ledger(layout).entry(KWOK)
    assert before is not None
    assert after is not None
    assert before.ports == after.ports
    assert layout.log(KWOK).with_suffix(".log.1").exists()


def test_a_remembered_port_that_is_taken_is_given_up(layout: Layout) -> None:
    ledger = open_ledger(layout)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ledger.put(KWOK, Entry(ports=(taken,)))
        start(layout)
        entry = open_ledger(layout).entry(KWOK)
    assert entry is not None
    assert entry.ports[0] != taken


def test_a_port_lost_between_choice_and_bind_is_chosen_again(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        choose = loopback.choose
        choices = [(taken,), (taken,)]

        def unlucky(count: int, *, taken: Container[int]) -> tuple[int, ...]:
            return choices.pop() if choices else choose(count, taken=taken)

        monkeypatch.setattr(loopback, "choose", unlucky)
        start(layout)


def test_a_component_that_ends_shows_its_last_words(layout: Layout) -> None:
    begin = starter(layout, "import sys; print('E1 bad flag --x'); sys.exit(3)")
    begin.launch(KWOK)
    with pytest.raises(SandboxStartFailed, match=r"(?s)kwok ended before.*E1 bad flag --x") as caught:
        begin.await_ready(KWOK)
    assert caught.value.where is not None
    assert caught.value.where.file == str(layout.log(KWOK))


def test_a_component_that_meets_a_full_disk_says_so(layout: Layout) -> None:
    begin = starter(layout, "import sys; print('write wal: no space left on device'); sys.exit(1)")
    begin.launch(KWOK)
    with pytest.raises(SandboxNoSpace, match="the disk is full"):
        begin.await_ready(KWOK)


def test_a_component_that_never_answers_is_a_timeout(layout: Layout) -> None:
    begin = starter(layout, DEAF, seconds=0.3)
    begin.launch(KWOK)
    with pytest.raises(SandboxTimeout, match="gave up waiting for box-1/kwok") as caught:
        begin.await_ready(KWOK)
    assert caught.value.exit_code is ExitCode.TIMEOUT
    assert len(begin.started()) == 1


def test_another_clusters_failure_ends_the_waiting(layout: Layout) -> None:
    begin = starter(layout, DEAF)
    begin.launch(KWOK)
    begin.cancelled.set()
    with pytest.raises(Cancelled):
        begin.await_ready(KWOK)


def test_a_program_that_cannot_run_is_a_clear_error(layout: Layout) -> None:
    begin = starter(layout, SERVER)
    begin.tools = {"kwok": layout.root / "absent"}
    with pytest.raises(SandboxStartFailed, match="cannot be started"):
        begin.launch(KWOK)


def test_a_stray_of_a_killed_start_is_replaced(layout: Layout) -> None:
    process = start(layout)
    ledger = open_ledger(layout)
    entry = ledger.entry(KWOK)
    assert entry is not None
    ledger.put(KWOK, Entry(ports=entry.ports))  # as if the call had died before noting the pid
    assert processes.strays(layout.root, ()) == [process]
    assert start(layout) != process
    assert not processes.is_alive(process)


def test_a_reused_pid_is_neither_ours_nor_killed() -> None:
    own = Entry(ports=(1,), pid=os.getpid(), started="an earlier process")
    assert live(own) is None
    stale = processes.Process(pid=os.getpid(), started="an earlier process")
    processes.stop([stale], clock=SystemClock(), grace=0.1)  # would end this test run
    assert processes.find(os.getpid()) is not None


def test_without_proc_ps_tells_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not Path("/bin/ps").exists():
        pytest.skip("no ps on this machine")
    here = processes.find(os.getpid())
    assert here is not None
    usage = processes.usage(here)
    monkeypatch.setattr(processes, "PROC", tmp_path / "absent")
    same = processes.find(os.getpid())
    assert same is not None
    found = processes.usage(same)
    assert usage is not None
    assert found is not None
    assert abs(found.uptime - usage.uptime) < 30
    assert 0.5 < found.rss / usage.rss < 2
    assert processes.find(2**22 + 1) is None


def test_what_ignores_sigterm_is_killed(layout: Layout) -> None:
    begin = starter(layout, "import signal, time\n" + STUBBORN)
    begin.launch(KWOK)
    while "ready" not in (layout.log(KWOK).read_text(encoding="utf-8")):
        SystemClock().sleep(0.02)
    (process,) = begin.started()
    processes.stop([process], clock=SystemClock(), grace=0.2)
    assert not processes.is_alive(process)


def test_a_too_full_disk_is_refused_before_anything_starts(layout: Layout) -> None:
    with pytest.raises(SandboxNoSpace, match=r"450 MB needed, 100 MB free"):
        up(layout, SERVER, free=100 * 2**20)
    assert processes.strays(layout.root, ()) == []


def test_a_failed_start_leaves_nothing_running_and_no_data(layout: Layout) -> None:
    script = "import pathlib, sys\npathlib.Path('etcd-data').mkdir()\nsys.exit('broken')"
    with pytest.raises(SandboxStartFailed, match="broken"):
        up(layout, script)
    assert processes.strays(layout.root, ()) == []
    assert not layout.etcd_data.exists()
    assert not layout.kubeconfig.exists()
    assert sandbox(layout).status().state == "absent"


def test_an_error_of_a_full_disk_while_noting_is_reported_as_such(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fleetmgr.adapters.sandbox.local.write_private", full)
    with pytest.raises(SandboxNoSpace, match="too full"):
        up(layout, SERVER)


def test_a_state_folder_that_cannot_be_written_is_named(layout: Layout) -> None:
    layout.root.rmdir()
    layout.root.write_text("a file in its place", encoding="utf-8")
    with pytest.raises(SandboxStateBroken, match="files cannot be used") as caught:
        up(layout, SERVER)
    layout.root.unlink()
    layout.root.mkdir()
    assert str(layout.root) in str(caught.value.where)


def test_a_full_disk_does_not_keep_a_cluster_running(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start(layout)
    open_ledger(layout).set_clusters(("box-1",), frozenset())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fleetmgr.adapters.sandbox.ledger.write_private", full)
    with pytest.raises(SandboxNoSpace):
        sandbox(layout).down(("box-1",), print, keep_data=False)
    assert not processes.is_alive(process)


def test_down_stops_what_an_unreadable_record_forgot(layout: Layout) -> None:
    process = start(layout)
    layout.ledger.write_text("{", encoding="utf-8")
    sandbox(layout).down((), print, keep_data=False)
    assert not processes.is_alive(process)
    assert not layout.root.exists()


def test_a_stopped_process_group_takes_its_children_along(layout: Layout) -> None:
    script = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)\ntime.sleep(60)"
    )
    begin = starter(layout, script)
    begin.launch(KWOK)
    while not (text := layout.log(KWOK).read_text(encoding="utf-8").strip()):
        SystemClock().sleep(0.02)
    child = processes.find(int(text))
    assert child is not None
    processes.stop(begin.started(), clock=SystemClock(), grace=2.0)
    while processes.is_alive(child):
        SystemClock().sleep(0.02)


def sandbox(layout: Layout, *, free: int = 2**40) -> LocalSandbox:
    clock = SystemClock()
    return LocalSandbox(layout, clock=clock, locks=FileLocks(clock), free_space=lambda _: free)


def up(layout: Layout, script: str, *, free: int = 2**40) -> None:
    tools = {ETCD: program(layout.root.parent, script)}
    request = UpRequest(clusters=3, only=(), timeout=20.0)
    sandbox(layout, free=free).up(tools, request, print)
