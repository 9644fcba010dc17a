"""One component from nothing to ready: free ports, a process, an answer, or a clear failure."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetmgr.adapters.sandbox import api, components, loopback, processes
from fleetmgr.adapters.sandbox.errors import (
    SandboxNoSpace,
    SandboxStartFailed,
    SandboxTimeout,
)
from fleetmgr.adapters.sandbox.layout import ETCD, Layout
from fleetmgr.adapters.sandbox.ledger import Entry, Ledger
from fleetmgr.adapters.sandbox.processes import Process
from fleetmgr.errors import Where
from fleetmgr.ports.clock import Clock

POLL_SECONDS = 0.1
TAIL_LINES = 8
TAIL_BYTES = 8192
# Another program may take a port between our look and the component's bind.
PORT_ATTEMPTS = 3


class Cancelled(Exception):
    """Another part of the same start failed; this one gives up quietly."""


@dataclass(kw_only=True)
class Starter:
    """Starts components of one sandbox during one call; used by several threads."""

    layout: Layout
    ledger: Ledger
    tools: Mapping[str, Path]
    clock: Clock
    deadline: float
    cancelled: threading.Event = field(default_factory=threading.Event)
    _started: set[str] = field(default_factory=set[str])
    _choosing: threading.Lock = field(default_factory=threading.Lock)

    def started(self) -> list[Process]:
        """The live processes that this call started."""
        found = (live(self.ledger.entry(key)) for key in sorted(self._started))
        return [process for process in found if process is not None]

    def launch(self, key: str, *, fresh_ports: bool = False) -> bool:
        """Start a component unless it runs; False when it ran already. Does not wait."""
        entry = self.ledger.entry(key)
        if live(entry) is not None:
            return False
        processes.stop(processes.strays(self.layout.root, (), key=key), clock=self.clock, grace=5.0)
        ports = self._reserve(key, None if entry is None or fresh_ports else entry.ports)
        etcd = self.ledger.entry(ETCD)
        argv = components.command(
            key,
            ports,
            tools=self.tools,
            layout=self.layout,
            etcd_port=etcd.ports[0] if etcd else 0,
        )
        try:
            process = processes.spawn(argv, log=self.layout.log(key), root=self.layout.root, key=key)
        except OSError as error:
            raise SandboxStartFailed(
                f"{key} cannot be started: {error}",
                where=Where(file=argv[0]),
                hint="if that file is damaged, remove it: the same command makes it again",
            ) from error
        self._started.add(key)
        if process is not None:
            entry = Entry(ports=ports, pid=process.pid, started=process.started)
            self.ledger.put(key, entry)
        return True

    def await_ready(self, key: str) -> int:
        """Wait until a launched component answers; its first port.

        Raises SandboxStartFailed when it ended, SandboxTimeout, SandboxNoSpace, Cancelled.
        """
        attempts = 1
        while not self._answers(key):
            if live(self.ledger.entry(key)) is None:
                if attempts == PORT_ATTEMPTS or not self._lost_its_port(key):
                    raise self._failure(key)
                attempts += 1
                self.launch(key, fresh_ports=True)
            self.pause(f"{key} to become ready", key)
        return self._entry(key).ports[0]

    def pause(self, awaited: str, key: str) -> None:
        """Sleep a moment; raises SandboxTimeout when the time is up, or Cancelled."""
        if self.cancelled.is_set():
            raise Cancelled
        if self.clock.monotonic() >= self.deadline:
            raise SandboxTimeout(
                f"gave up waiting for {awaited}{tail_text(self.layout.log(key))}",
                where=Where(file=str(self.layout.log(key))),
                hint="a slow or busy machine may need more: --timeout 10m",
            )
        self.clock.sleep(POLL_SECONDS)

    def _answers(self, key: str) -> bool:
        entry = self._entry(key)
        return live(entry) is not None and api.answers(components.health_url(key, entry.ports[0]))

    def _entry(self, key: str) -> Entry:
        entry = self.ledger.entry(key)
        if entry is None:
            raise SandboxStartFailed(f"{key} was not launched")
        return entry

    def _reserve(self, key: str, remembered: tuple[int, ...] | None) -> tuple[int, ...]:
        with self._choosing:
            if remembered and all(loopback.is_free(port) for port in remembered):
                ports = remembered
            else:
                taken = self.ledger.ports()
                ports = loopback.choose(components.ports_needed(key), taken=taken)
            self.ledger.put(key, Entry(ports=ports))
        return ports

    def _lost_its_port(self, key: str) -> bool:
        return "address already in use" in tail(self.layout.log(key))

    def _failure(self, key: str) -> SandboxStartFailed | SandboxNoSpace:
        log = self.layout.log(key)
        if "no space left on device" in tail(log).lower():
            return SandboxNoSpace(
                f"{key} ended: the disk is full{tail_text(log)}",
                where=Where(file=str(log)),
                hint="free some space and run the same command again",
            )
        return SandboxStartFailed(
            f"{key} ended before it was ready{tail_text(log)}",
            where=Where(file=str(log)),
            hint="the log has more; the same command tries again",
        )


def live(entry: Entry | None) -> Process | None:
    """The running process of an entry, None when there is none."""
    if entry is None or entry.pid is None or entry.started is None:
        return None
    process = Process(pid=entry.pid, started=entry.started)
    return process if processes.is_alive(process) else None


def tail(log: Path) -> str:
    """The last lines of a log, empty when there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def tail_text(log: Path) -> str:
    """The last lines of a log as the end of a message."""
    text = tail(log)
    return f"; its last log lines:\n{text}" if text else "; it logged nothing"
