"""The sandbox: its toolchain and its processes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from msgspec import Struct

from fleetmgr.adapters.locks.flock import FileLocks
from fleetmgr.adapters.sandbox.layout import layout_of
from fleetmgr.adapters.sandbox.local import LocalSandbox
from fleetmgr.adapters.toolchain.cached import CachedToolchain
from fleetmgr.adapters.toolchain.download import Releases
from fleetmgr.ports.sandbox import Sandbox
from fleetmgr.ports.toolchain import Toolchain
from fleetmgr.wiring.machine import SystemClock, xdg

PACKAGE = Path(__file__).parent.parent


class SandboxPorts(Struct, frozen=True, kw_only=True):
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
        cache=xdg("XDG_CACHE_HOME", home / ".cache") / "fleetmgr",
        sources=_tool_sources(),
        explicit=Path(explicit) if explicit else None,
        environment=dict(os.environ),
        clock=clock,
        locks=locks,
        free_space=_free_space,
        releases=Releases(),
    )
    state_home = xdg("XDG_STATE_HOME", home / ".local" / "state")
    return SandboxPorts(
        toolchain=toolchain,
        sandbox=LocalSandbox(
            layout_of(name, state_home=state_home, home=home),
            clock=clock,
            locks=locks,
            free_space=_free_space,
        ),
    )


def _free_space(path: Path) -> int:
    return shutil.disk_usage(path).free


def _tool_sources() -> Path | None:
    """The pinned modules: inside the installed package, or at the root of a checkout."""
    candidates = (PACKAGE / "_tools", PACKAGE.parent / "tools")
    return next((path for path in candidates if (path / "kubernetes" / "go.mod").exists()), None)
