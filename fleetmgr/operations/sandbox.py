"""The sandbox's verbs: get the programs, then start, stop or look at control planes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fleetmgr.ports.sandbox import Sandbox, SandboxStatus, UpRequest
from fleetmgr.ports.toolchain import Toolchain

Progress = Callable[[str], None]


def sandbox_up(
    toolchain: Toolchain, sandbox: Sandbox, request: UpRequest, progress: Progress
) -> SandboxStatus:
    """Control planes that are ready; a second call with everything running changes nothing.

    The time that the programs take to build does not count towards ``request.timeout``.
    """
    return sandbox.up(toolchain.provide(progress), request, progress)


def sandbox_down(
    sandbox: Sandbox, only: tuple[str, ...], progress: Progress, *, keep_data: bool
) -> tuple[str, ...]:
    """Stop and remove the sandbox, or stop the named clusters; the names that were stopped."""
    return sandbox.down(only, progress, keep_data=keep_data)


def sandbox_status(sandbox: Sandbox) -> SandboxStatus:
    """What runs, with readiness, memory and age of every process."""
    return sandbox.status()


def sandbox_kubeconfig(sandbox: Sandbox) -> Path:
    """The kubeconfig's path; raises a FleetError when there is no sandbox."""
    return sandbox.kubeconfig()
