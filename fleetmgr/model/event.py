"""Everything that can happen while a walk runs, as values: progress, journal and reports read these."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import Op
from fleetmgr.model.objects import ObjectRef


class ClusterStarted(Struct, frozen=True, kw_only=True):
    """A cluster's walk began. ``phase`` is ``preview``, ``apply``, ``verify`` or ``rollback``; ``objects`` are those to
    write (0: not known)."""

    cluster: str
    phase: str
    objects: int = 0


class ObjectChanged(Struct, frozen=True, kw_only=True):
    """The server confirmed one write."""

    cluster: str
    app: str
    op: Op
    ref: ObjectRef


class ObjectFailed(Struct, frozen=True, kw_only=True):
    """One object could not be written; the cluster goes on or stops by rule."""

    cluster: str
    app: str
    ref: ObjectRef
    problem: Problem


class Waiting(Struct, frozen=True, kw_only=True):
    """An app's objects are not all Healthy yet; sent when the picture changes."""

    cluster: str
    app: str
    ready: int
    total: int
    message: str


class LockAwaited(Struct, frozen=True, kw_only=True):
    """Another run holds the entry's lease; sent once for each holder that is waited for. ``holder`` is for people."""

    cluster: str
    holder: str


class ClusterFinished(Struct, frozen=True, kw_only=True):
    """A cluster's walk ended. ``summary`` is one line for people."""

    cluster: str
    phase: str
    exit_code: ExitCode
    summary: str


class WaveStarted(Struct, frozen=True, kw_only=True):
    """The first cluster of a step of the rollout is about to be begun. ``wave`` is "" where the environment has no
    ``rollout``; ``number`` counts from 1 to ``of``."""

    environment: str
    wave: str
    number: int
    of: int
    clusters: tuple[str, ...]


class Soaking(Struct, frozen=True, kw_only=True):
    """A wave is done and must stay healthy for another ``seconds``."""

    environment: str
    wave: str
    seconds: float


def step_name(event: WaveStarted | Soaking) -> str:
    """``prod / canary``, or ``prod``."""
    return f"{event.environment} / {event.wave}" if event.wave else event.environment


class RolloutStopped(Struct, frozen=True, kw_only=True):
    """The rollout ended before all its steps. ``status`` is a RolloutStatus, ``why`` a clause for people."""

    rollout: str
    status: str
    why: str


ClusterEvent: TypeAlias = (
    ClusterStarted | ObjectChanged | ObjectFailed | Waiting | LockAwaited | ClusterFinished
)
RolloutEvent: TypeAlias = WaveStarted | Soaking | RolloutStopped
Event: TypeAlias = ClusterEvent | RolloutEvent
EventSink: TypeAlias = Callable[[Event], None]
