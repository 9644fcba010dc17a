"""Where a rollout stands: frozen, and the same after a trip through JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct, field

from fleetmgr.model.rollout import RolloutPlan


class Instant(Struct, frozen=True, kw_only=True):
    """Now, twice: ``monotonic`` seconds for durations, ``wall`` (aware) for windows and records."""

    monotonic: float
    wall: datetime


class Phase(StrEnum):
    """Where one cluster stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    """Any failure, also one seen during the soak; ``Member.message`` says which."""
    UNREACHABLE = "unreachable"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"


class Member(Struct, frozen=True, kw_only=True):
    """One cluster. ``ill``: it was last seen not healthy, or its work failed."""

    phase: Phase
    since: float = 0.0
    """Monotonic seconds: when it entered the phase."""
    ill: bool = False
    forgiven: bool = False
    """A person resumed past its failure: it no longer counts."""
    message: str = ""


class Request(Struct, frozen=True, kw_only=True):
    """What a person asked for, kept for ever. ``kind`` is the event's name."""

    kind: str
    who: str
    why: str
    at: datetime


class State(Struct, frozen=True, kw_only=True):
    """A rollout between two events. Built by ``machine.begin``, changed by ``machine.observe`` only."""

    plan: RolloutPlan
    members: dict[str, Member]
    step: int
    """Index of the step in hand; ``len(plan.steps)`` once all are done."""
    entered: float
    """Monotonic seconds: when that step came to hand."""
    seen: Instant
    """The last time that anything was observed."""
    paused: Request | None = None
    ended: Request | None = None
    """An Abort or a Supersede."""
    override: Request | None = None
    """Windows are ignored since."""
    requests: tuple[Request, ...] = field(default=())


def to_json(state: State) -> bytes:
    """``state`` as JSON; no secrets are in it."""
    return msgspec.json.encode(state, order="deterministic")


def from_json(text: bytes) -> State:
    """The State of ``to_json``. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(text, type=State)
