"""Where a rollout stands: frozen, and the same after a trip through JSON."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct

from fleetmgr.model.rollout import RolloutPlan, Step


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
    SKIPPED = "skipped"
    """Never started: the deadline passed, ``onFailure: continue``."""
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"


class Member(Struct, frozen=True, kw_only=True):
    """One cluster."""

    phase: Phase
    since: float = 0.0
    """Monotonic seconds: when its work began or, once that is over, when it ended."""
    started: bool = False
    """Something was begun on it in this rollout."""
    ill: bool = False
    """Last seen not healthy or not reachable, or its work failed."""
    failed: bool = False
    """It counts as a failure, also once it went back."""
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
    began: float | None = None
    """Monotonic seconds: the first start in the step in hand."""
    parallel: int | None = None
    """Clusters that the runner works on at a time, whatever the step allows."""
    paused: Request | None = None
    ended: Request | None = None
    """An Abort or a Supersede."""
    override: Request | None = None
    """Windows are ignored since."""
    requests: tuple[Request, ...] = ()

    @property
    def current(self) -> Step:
        """The step in hand; there is one until all are done."""
        return self.plan.steps[self.step]

    @property
    def finished(self) -> bool:
        """Whether every step was taken."""
        return self.step >= len(self.plan.steps)


def to_json(state: State) -> bytes:
    """``state`` as JSON; no secrets are in it."""
    return msgspec.json.encode(state, order="deterministic")


def from_json(text: bytes) -> State:
    """The State of ``to_json``. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(text, type=State)
