"""A rollout as people look at it: where it stands, what was asked of it, which clusters could say so."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from fleetmgr.model.change import ClusterFailure


class RolloutStatus(StrEnum):
    """How a rollout stands. ``running`` is also what a killed run leaves behind."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    """A signal ended the run; it can be resumed."""
    WINDOW = "window"
    """A window was closed; it can be resumed."""
    PAUSED = "paused"
    FAILED = "failed"
    DEADLINE = "deadline"
    UNAVAILABLE = "unavailable"
    UNPROVEN = "unproven"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"

    @property
    def over(self) -> bool:
        """Whether nothing can follow."""
        return self in _OVER


_OVER = frozenset(
    {
        RolloutStatus.DONE,
        RolloutStatus.ROLLED_BACK,
        RolloutStatus.ROLLBACK_FAILED,
        RolloutStatus.ABORTED,
        RolloutStatus.SUPERSEDED,
    }
)


class RolloutCluster(Struct, frozen=True, kw_only=True):
    """One cluster of a wave; ``phase`` is pending, running, done, unchanged, failed, unreachable, rolling-back,
    rolled-back or rollback-failed."""

    cluster: str
    phase: str
    message: str = ""


class RolloutStep(Struct, frozen=True, kw_only=True):
    """One wave (``wave`` "" where the environment has no ``rollout``). ``state`` is done, current or to come."""

    environment: str
    wave: str
    state: str
    clusters: tuple[RolloutCluster, ...]
    soak: float = 0.0


class RolloutRequest(Struct, frozen=True, kw_only=True):
    """What somebody asked for: ``pause``, ``resume``, ``abort``, ``supersede``, ``override-windows``; ``at`` is
    RFC 3339."""

    kind: str
    who: str
    why: str
    at: str


class RolloutView(Struct, frozen=True, kw_only=True):
    """One rollout. Times are RFC 3339; ``why`` says why it stands where it does."""

    id: str
    plan_id: str
    revision: str
    actor: str
    started_at: str
    updated_at: str
    status: RolloutStatus
    why: str = ""
    steps: tuple[RolloutStep, ...] = ()
    requests: tuple[RolloutRequest, ...] = ()
    """Oldest first."""

    def count(self, *phases: str) -> int:
        """How many clusters are in one of ``phases``."""
        return sum(1 for step in self.steps for c in step.clusters if c.phase in phases)


class UnheardCluster(Struct, frozen=True, kw_only=True):
    """A cluster that could not be asked."""

    cluster: str
    environment: str
    failure: ClusterFailure


class RolloutHistory(Struct, frozen=True, kw_only=True):
    """What the clusters of a fleet remember of its rollouts, newest first. ``asked`` clusters have answered."""

    fleet: str
    rollouts: tuple[RolloutView, ...]
    asked: tuple[str, ...]
    unheard: tuple[UnheardCluster, ...] = ()
