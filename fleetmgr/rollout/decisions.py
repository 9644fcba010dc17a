"""What a rollout may do next: the answers of ``machine.decide``."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from fleetmgr.errors import ExitCode


class WaitFor(StrEnum):
    """What a Wait waits for."""

    WORK = "work"
    """Clusters in work (or on their way back) must finish first."""
    WINDOW = "window"
    """A window is closed. ``opens`` says when it may open; a command line refuses (exit 5) unless told to wait."""
    SOAK = "soak"
    """The wave is done and must stay healthy: ``watch`` are its clusters."""
    HEALTH = "health"
    """Too many clusters are unavailable; ``watch`` are those. Only where there is a deadline, else it is a Stop."""


class StopVerdict(StrEnum):
    """Why a rollout ended before all its steps."""

    PAUSED = "paused"
    """By a person."""
    FAILED = "failed"
    """More failures than are tolerated, ``onFailure: pause``."""
    DEADLINE = "deadline"
    UNAVAILABLE = "unavailable"
    """More clusters are unavailable than are tolerated, and nothing is in work that could change it."""
    CLOSED = "closed"
    """A window is closed and does not open within a year."""
    UNPROVEN = "unproven"
    """No cluster of a wave could be reached."""
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"

    @property
    def resumable(self) -> bool:
        """Whether observing Resume lets it go on."""
        return self not in _FINAL

    @property
    def exit_code(self) -> ExitCode:
        """What the process ends with where the clusters' own codes do not say more."""
        return _EXIT[self]


_FINAL = frozenset(
    {StopVerdict.ROLLED_BACK, StopVerdict.ROLLBACK_FAILED, StopVerdict.ABORTED, StopVerdict.SUPERSEDED}
)
_EXIT = {
    StopVerdict.PAUSED: ExitCode.APPROVAL,
    StopVerdict.FAILED: ExitCode.PARTIAL,
    StopVerdict.DEADLINE: ExitCode.TIMEOUT,
    StopVerdict.UNAVAILABLE: ExitCode.REFUSED,
    StopVerdict.CLOSED: ExitCode.REFUSED,
    StopVerdict.UNPROVEN: ExitCode.REFUSED,
    StopVerdict.ROLLED_BACK: ExitCode.FAILED,
    StopVerdict.ROLLBACK_FAILED: ExitCode.FAILED,
    StopVerdict.ABORTED: ExitCode.REFUSED,
    StopVerdict.SUPERSEDED: ExitCode.STALE,
}


class Start(Struct, frozen=True, kw_only=True, tag=True):
    """These may be begun now, all of them at once; never empty."""

    clusters: tuple[str, ...]


class Wait(Struct, frozen=True, kw_only=True, tag=True):
    """Nothing may be begun now. Ask again after the next event, at the latest at ``until`` (monotonic seconds;
    None: only an event changes anything)."""

    reason: WaitFor
    why: str
    """A clause for people: ``soak of prod / canary``."""
    until: float | None = None
    opens: datetime | None = None
    """For WINDOW: when it opens, aware, in the window's own time zone. None: not within a year, so that the
    deadline of the wave comes first."""
    watch: tuple[str, ...] = ()
    """Clusters whose health is to be looked at meanwhile (``HealthSeen``)."""


class Rollback(Struct, frozen=True, kw_only=True, tag=True):
    """These are to go back to their previous revision now, all of them at once; never empty. Windows do not hold
    it up."""

    clusters: tuple[str, ...]
    why: str


class Stop(Struct, frozen=True, kw_only=True, tag=True):
    """The end, before all steps were taken. Nothing is in work any more."""

    verdict: StopVerdict
    why: str
    left: tuple[str, ...] = ()
    """Clusters with changes that were never started, in order."""


class Done(Struct, frozen=True, kw_only=True, tag=True):
    """Every step was taken; failures that were tolerated are in the State."""


Decision: TypeAlias = Start | Wait | Rollback | Stop | Done
