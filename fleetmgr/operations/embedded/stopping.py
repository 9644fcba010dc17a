"""A run that was asked to stop."""

from __future__ import annotations

from typing import ClassVar

from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.ports.stop import Stop


class Interrupted(FleetError):
    """The run was asked to stop."""

    code: ClassVar[str] = "FLT-2004"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERRUPTED


def raise_if_set(stop: Stop) -> None:
    """Raises Interrupted once ``stop`` is set."""
    if stop.is_set():
        raise Interrupted("stopped before everything was done", hint="apply again: it goes on from here")
