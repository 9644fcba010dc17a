"""What can happen to a rollout. Every event is plain data; the time at which it happened is passed beside it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Result(StrEnum):
    """How work on one cluster ended. All but OK and UNREACHABLE are failures."""

    OK = "ok"
    """Everything written, and Healthy (or health was not asked for)."""
    FAILED = "failed"
    """A write failed, an object is in conflict or denied, access was refused, another run holds it."""
    UNHEALTHY = "unhealthy"
    """Written, and Degraded."""
    TIMED_OUT = "timed-out"
    """Written, and not Healthy in time."""
    UNREACHABLE = "unreachable"
    """The cluster no longer answers: unavailable, but no failure of what is rolled out."""


class Started(Struct, frozen=True, kw_only=True, tag=True):
    """Work on a cluster began. Observed for every cluster of a Start before the next ``decide``."""

    cluster: str


class Finished(Struct, frozen=True, kw_only=True, tag=True):
    """Work on a cluster ended; after it the machine forgets that it is running."""

    cluster: str
    result: Result
    message: str = ""
    """One line for people; never a value of a Secret."""


class HealthSeen(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody looked at a cluster: before the rollout, during a soak, while a budget is used up."""

    cluster: str
    healthy: bool
    reachable: bool = True
    message: str = ""


class RollbackStarted(Struct, frozen=True, kw_only=True, tag=True):
    """A cluster is on its way back to its previous revision."""

    cluster: str


class RollbackFinished(Struct, frozen=True, kw_only=True, tag=True):
    """``ok`` False: it could not be brought back; a person must look."""

    cluster: str
    ok: bool
    message: str = ""


class Pause(Struct, frozen=True, kw_only=True, tag=True):
    """A person wants nothing new to be started."""

    who: str
    why: str = ""


class Resume(Struct, frozen=True, kw_only=True, tag=True):
    """A person lets it go on. Failed clusters of the wave in hand are tried again, or left as they are with
    ``skip_failed``; either way they no longer count against the budget. Ends every resumable Stop."""

    who: str
    why: str = ""
    skip_failed: bool = False


class Abort(Struct, frozen=True, kw_only=True, tag=True):
    """A person ends the rollout for good. What is in work is finished, nothing is rolled back."""

    who: str
    why: str = ""


class Supersede(Struct, frozen=True, kw_only=True, tag=True):
    """A newer rollout takes over: newest commit wins, also over one that is paused."""

    by: str
    """Revision or id of the newer plan."""
    who: str = ""


class OverrideWindows(Struct, frozen=True, kw_only=True, tag=True):
    """A person has the windows ignored from now on; the reason is kept in ``State.requests``."""

    who: str
    why: str


Event: TypeAlias = (
    Started
    | Finished
    | HealthSeen
    | RollbackStarted
    | RollbackFinished
    | Pause
    | Resume
    | Abort
    | Supersede
    | OverrideWindows
)
