"""The only place that reads settings and the environment, and builds adapters from them."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleetmgr.adapters.locks.flock import FileLocks
from fleetmgr.adapters.sandbox.layout import layout_of
from fleetmgr.adapters.sandbox.local import LocalSandbox
from fleetmgr.adapters.toolchain.cached import CachedToolchain
from fleetmgr.adapters.toolchain.download import Releases
from fleetmgr.ports.sandbox import Sandbox
from fleetmgr.ports.toolchain import Toolchain

PACKAGE = Path(__file__).parent


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPorts:
    """What the sandbox's verbs need."""

    toolchain: Toolchain
    sandbox: Sandbox


def sandbox(name: str) -> SandboxPorts:
    """The sandbox called ``name`` of this user; raises a FleetError for an impossible name.

    Environment: XDG_STATE_HOME, XDG_CACHE_HOME, PATH, and FLEETMGR_TOOLS (a folder with
    programs to use instead of the pinned ones; must be of the same minor versions).
    """
    clock = SystemClock()
    locks = FileLocks(clock)
    home = Path.home()
    explicit = os.environ.get("FLEETMGR_TOOLS")
    toolchain = CachedToolchain(
        cache=_xdg("XDG_CACHE_HOME", home / ".cache") / "fleetmgr",
        sources=_tool_sources(),
        explicit=Path(explicit) if explicit else None,
        environment=dict(os.environ),
        clock=clock,
        locks=locks,
        free_space=_free_space,
        releases=Releases(),
    )
    state_home = _xdg("XDG_STATE_HOME", home / ".local" / "state")
    return SandboxPorts(
        toolchain=toolchain,
        sandbox=LocalSandbox(
            layout_of(name, state_home=state_home, home=home),
            clock=clock,
            locks=locks,
            free_space=_free_space,
        ),
    )


def _xdg(variable: str, default: Path) -> Path:
    """An XDG base folder; the specification says to ignore relative values."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else default


def _free_space(path: Path) -> int:
    return shutil.disk_usage(path).free


def _tool_sources() -> Path | None:
    """The pinned modules: inside the installed package, or at the root of a checkout."""
    candidates = (PACKAGE / "_tools", PACKAGE.parent / "tools")
    return next((path for path in candidates if (path / "kubernetes" / "go.mod").exists()), None)
