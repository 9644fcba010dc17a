"""Real control planes on loopback: what may be asked of them, and how they are reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

ProcessState = Literal["ready", "starting", "dead", "stopped"]
ClusterState = Literal["ready", "starting", "degraded", "stopped"]
SandboxState = Literal["ready", "degraded", "stopped", "absent"]


class ProcessStatus(Struct, frozen=True, kw_only=True):
    """One process. ``rss`` in bytes, ``uptime`` in seconds; both None when not running."""

    name: str
    state: ProcessState
    pid: int | None
    port: int
    rss: int | None
    uptime: float | None
    log: Path


class ClusterStatus(Struct, frozen=True, kw_only=True):
    """One control plane: its context is its name, ``server`` its URL."""

    name: str
    state: ClusterState
    server: str
    processes: tuple[ProcessStatus, ...]


class SandboxStatus(Struct, frozen=True, kw_only=True):
    """A sandbox: ``shared`` holds what serves all clusters (etcd)."""

    name: str
    state: SandboxState
    kubeconfig: Path
    shared: tuple[ProcessStatus, ...]
    clusters: tuple[ClusterStatus, ...]


class UpRequest(Struct, frozen=True, kw_only=True):
    """``clusters``: how many there should be (None: as many as there are, three at first).

    ``only`` names the clusters to start; empty means all of them. ``timeout`` in seconds.
    """

    clusters: int | None
    only: tuple[str, ...]
    timeout: float


class Sandbox(Protocol):
    """One named sandbox of this user on this machine."""

    def up(
        self, tools: Mapping[str, Path], request: UpRequest, progress: Callable[[str], None]
    ) -> SandboxStatus:
        """Start what does not run, leave alone what does; returns when everything is ready.

        Raises a FleetError with the failing component's last log lines (exit 1), or when
        the time is up (exit 9); what this call started is stopped again in both cases.
        """
        ...

    def down(
        self, only: tuple[str, ...], progress: Callable[[str], None], *, keep_data: bool
    ) -> tuple[str, ...]:
        """Stop everything, or only the named clusters; returns the names of what was stopped.

        A whole sandbox is also removed (data, credentials, kubeconfig) unless ``keep_data``.
        """
        ...

    def status(self) -> SandboxStatus:
        """What runs now; state ``absent`` when there is no such sandbox."""
        ...

    def kubeconfig(self) -> Path:
        """The kubeconfig with a context a cluster; raises a FleetError when there is none."""
        ...
