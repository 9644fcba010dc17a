"""A sandbox of plain processes on this machine: implements ports.sandbox.Sandbox."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

from fleetmgr.adapters.sandbox import processes, reporting
from fleetmgr.adapters.sandbox.clusters import bring_up, remove_volumes, way_to
from fleetmgr.adapters.sandbox.credentials import write_kubeconfig
from fleetmgr.adapters.sandbox.errors import (
    SandboxNoSpace,
    SandboxStateBroken,
    SandboxUnknown,
)
from fleetmgr.adapters.sandbox.files import write_private
from fleetmgr.adapters.sandbox.layout import CLUSTER_PROGRAMS, ETCD, Layout, cluster_names, key_of
from fleetmgr.adapters.sandbox.ledger import Contents, Entry, Ledger, open_ledger
from fleetmgr.adapters.sandbox.starting import Cancelled, Starter, live
from fleetmgr.errors import Where
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.locks import Locks
from fleetmgr.ports.sandbox import SandboxStatus, UpRequest

DEFAULT_CLUSTERS = 3
# etcd preallocates two 64 MB files; the rest is data, logs and some air.
SPACE_SHARED = 300 * 2**20
SPACE_PER_CLUSTER = 50 * 2**20
GRACE_SECONDS = 10.0
DOWN_LOCK_SECONDS = 120.0
STAGES = Path(__file__).with_name("stages.yaml")


class LocalSandbox:
    """See ports.sandbox.Sandbox."""

    def __init__(
        self,
        layout: Layout,
        *,
        clock: Clock,
        locks: Locks,
        free_space: Callable[[Path], int],
    ) -> None:
        """``free_space``: bytes that this user may still write at an existing path."""
        self._layout = layout
        self._clock = clock
        self._locks = locks
        self._free_space = free_space

    def up(
        self, tools: Mapping[str, Path], request: UpRequest, progress: Callable[[str], None]
    ) -> SandboxStatus:
        """See ports.sandbox.Sandbox.up."""
        began = self._clock.monotonic()
        what = f"sandbox {self._layout.name}"
        with (
            self._disk_errors(),
            self._locks.hold(self._layout.lock, what=what, timeout=request.timeout, progress=progress),
        ):
            self._layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            ledger = open_ledger(self._layout)
            fresh = not ledger.contents.entries
            clusters = self._wanted(ledger.contents, request, progress)
            starter = Starter(
                layout=self._layout,
                ledger=ledger,
                tools=tools,
                clock=self._clock,
                deadline=began + request.timeout,
            )
            try:
                self._start(starter, clusters, request, progress)
            except BaseException:
                starter.cancelled.set()
                self._undo(starter, progress, fresh=fresh)
                raise
            seconds = self._clock.monotonic() - began
            count = len(starter.started())
            if count:
                progress(f"{what}: {count} processes started, ready in {seconds:.1f} s")
            else:
                progress(f"{what}: everything runs already")
            return reporting.status(self._layout, ledger.contents)

    def down(
        self, only: tuple[str, ...], progress: Callable[[str], None], *, keep_data: bool
    ) -> tuple[str, ...]:
        """See ports.sandbox.Sandbox.down."""
        what = f"sandbox {self._layout.name}"
        if not self._layout.root.exists() and not processes.strays(self._layout.root, ()):
            self._layout.kubeconfig.unlink(missing_ok=True)
            return ()
        with (
            self._disk_errors(),
            self._locks.hold(self._layout.lock, what=what, timeout=DOWN_LOCK_SECONDS, progress=progress),
        ):
            if only:
                return self._stop_clusters(only, open_ledger(self._layout))
            return self._stop_all(keep_data=keep_data)

    def status(self) -> SandboxStatus:
        """See ports.sandbox.Sandbox.status."""
        return reporting.status(self._layout, open_ledger(self._layout).contents)

    def kubeconfig(self) -> Path:
        """See ports.sandbox.Sandbox.kubeconfig."""
        if not self._layout.kubeconfig.exists():
            name = self._layout.name
            raise SandboxUnknown(
                f"there is no sandbox {name!r}",
                where=Where(file=str(self._layout.kubeconfig)),
                hint=f"start one: fleet sandbox up --name {name}",
            )
        return self._layout.kubeconfig

    def _wanted(
        self, known: Contents, request: UpRequest, progress: Callable[[str], None]
    ) -> tuple[str, ...]:
        """The clusters that there should be; refuses unknown names and too little space."""
        before = len(known.clusters)
        count = max(before, request.clusters or before or DEFAULT_CLUSTERS)
        if request.clusters is not None and request.clusters < before:
            progress(f"{before} clusters exist already; `fleet sandbox down --cluster` stops one")
        names = cluster_names(self._layout.name, count)
        self._check_names(request.only, names)
        needed = SPACE_SHARED * (before == 0) + SPACE_PER_CLUSTER * (count - before)
        if needed and self._free_space(self._layout.root) < needed:
            raise self._no_space(needed)
        return names

    def _start(
        self,
        starter: Starter,
        clusters: tuple[str, ...],
        request: UpRequest,
        progress: Callable[[str], None],
    ) -> None:
        ledger = starter.ledger
        chosen = request.only or clusters
        ledger.set_clusters(clusters, ledger.contents.stopped - set(chosen))
        write_private(self._layout.stages, STAGES.read_text(encoding="utf-8"))
        if self._start_etcd(starter, progress):
            chosen = tuple(name for name in clusters if name not in ledger.contents.stopped)
        with ThreadPoolExecutor(max_workers=len(chosen)) as pool:
            futures = [pool.submit(bring_up, name, starter, progress) for name in chosen]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                failed = [f for f in done if f.exception() is not None]
                if failed:
                    starter.cancelled.set()
                    wait(futures)
                    _raise_cause([error for f in futures if (error := f.exception())])
            except BaseException:
                starter.cancelled.set()  # before the pool waits for its threads
                raise
        self._write_kubeconfig(ledger)

    def _start_etcd(self, starter: Starter, progress: Callable[[str], None]) -> bool:
        """True when etcd came back at another port, and all clusters must start anew."""
        began = self._clock.monotonic()
        before = starter.ledger.entry(ETCD)
        started = starter.launch(ETCD)
        port = starter.await_ready(ETCD)
        moved = before is not None and before.ports[0] != port
        if moved:  # API servers hold etcd's address as an argument
            processes.stop(self._running(starter.ledger), clock=self._clock, grace=GRACE_SECONDS)
        if started:
            progress(f"etcd ready ({self._clock.monotonic() - began:.1f} s)")
        return moved

    def _running(self, ledger: Ledger, clusters: Iterable[str] | None = None) -> list[processes.Process]:
        """Live processes of clusters, etcd not included."""
        names = ledger.contents.clusters if clusters is None else clusters
        keys = [key_of(name, program) for name in names for program in CLUSTER_PROGRAMS]
        return [process for key in keys if (process := live(ledger.entry(key))) is not None]

    def _stop_clusters(self, only: tuple[str, ...], ledger: Ledger) -> tuple[str, ...]:
        self._check_names(only, ledger.contents.clusters)
        processes.stop(self._running(ledger, only), clock=self._clock, grace=GRACE_SECONDS)
        ledger.set_clusters(ledger.contents.clusters, ledger.contents.stopped | set(only))
        for name in only:
            for program in CLUSTER_PROGRAMS:
                self._forget(ledger, key_of(name, program))
        return only

    def _stop_all(self, *, keep_data: bool) -> tuple[str, ...]:
        try:
            ledger = open_ledger(self._layout)
        except SandboxStateBroken:  # then the processes' own marks must do
            ledger = Ledger(self._layout, Contents(entries={}))
        clusters = ledger.contents.clusters
        if not keep_data:
            for name in clusters:
                remove_volumes(name, self._layout, ledger)
        # etcd last: the others would complain loudly, and their last writes would be lost.
        processes.stop(self._running(ledger), clock=self._clock, grace=GRACE_SECONDS)
        etcd = live(ledger.entry(ETCD))
        left = [etcd] if etcd else []
        left += processes.strays(self._layout.root, left)
        processes.stop(left, clock=self._clock, grace=GRACE_SECONDS)
        if keep_data:
            ledger.set_clusters(clusters, frozenset(clusters))
            for key in ledger.contents.entries:
                self._forget(ledger, key)
        else:
            shutil.rmtree(self._layout.root)
            self._layout.kubeconfig.unlink(missing_ok=True)
        return clusters or (self._layout.name,)

    def _forget(self, ledger: Ledger, key: str) -> None:
        entry = ledger.entry(key)
        if entry is not None:
            ledger.put(key, Entry(ports=entry.ports))

    def _undo(self, starter: Starter, progress: Callable[[str], None], *, fresh: bool) -> None:
        """Stop what this call started; a first start also leaves no data (logs stay)."""
        started = starter.started()
        if started:
            progress(f"stopping the {len(started)} processes that this start began")
        processes.stop(started, clock=self._clock, grace=GRACE_SECONDS)
        if fresh:
            shutil.rmtree(self._layout.etcd_data, ignore_errors=True)
            with suppress(OSError):
                self._layout.ledger.unlink(missing_ok=True)

    def _write_kubeconfig(self, ledger: Ledger) -> None:
        ways = [way_to(name, self._layout, ledger) for name in ledger.contents.clusters]
        write_kubeconfig(self._layout.kubeconfig, [way for way in ways if way is not None])

    def _check_names(self, only: Iterable[str], known: tuple[str, ...]) -> None:
        for name in only:
            if name not in known:
                raise SandboxUnknown(
                    f"sandbox {self._layout.name!r} has no cluster {name!r}",
                    hint=f"it has: {', '.join(known) or 'none'}",
                )

    @contextmanager
    def _disk_errors(self) -> Generator[None]:
        """Turn what the disk says no to into an error that says what to do."""
        try:
            yield
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise self._no_space(None) from error
            raise SandboxStateBroken(
                f"the sandbox's files cannot be used: {error.strerror or error}",
                where=Where(file=str(error.filename or self._layout.root)),
                hint="check who owns that place and whether it may be written",
            ) from error

    def _no_space(self, needed: int | None) -> SandboxNoSpace:
        free = self._free_space(self._layout.root) // 2**20
        amount = "" if needed is None else f": {needed // 2**20} MB needed, {free} MB free"
        return SandboxNoSpace(
            f"the disk is too full for the sandbox{amount}",
            where=Where(file=str(self._layout.root)),
            hint="free some space and run the same command again",
        )


def _raise_cause(errors: list[BaseException]) -> None:
    """Raise the error that made the others give up."""
    causes = [error for error in errors if not isinstance(error, Cancelled)]
    raise (causes or errors)[0]
