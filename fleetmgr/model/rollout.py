"""A rollout as data: what fleet.yaml asks for, and the steps of one plan in the order in which they are taken.

Counts are resolved (percent of all clusters of the environment, rounded up), durations are seconds.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from fleetmgr.errors import Where


class OnFailure(StrEnum):
    """What happens once more clusters failed than ``max_failures`` allows."""

    PAUSE = "pause"
    """Nothing new is started; a person resumes or aborts."""
    CONTINUE = "continue"
    """The failed clusters are left behind, the others go on."""
    ROLLBACK = "rollback"
    """The clusters that this wave has begun to change go back to their previous revision, from memory; then
    the rollout has ended. Earlier waves passed health and soak and stay."""


class WindowKind(StrEnum):
    """Whether a window lets changes through while it is open, or keeps them out."""

    ALLOW = "allow"
    DENY = "deny"


class Window(Struct, frozen=True, kw_only=True):
    """A time in which clusters may be begun, or may not. ``schedule`` says when it opens, in local wall time."""

    kind: WindowKind
    schedule: str
    """Five fields, as cron(5)."""
    duration: float
    """Seconds."""
    timezone: str = "UTC"
    description: str = ""
    owner: str = ""
    """Who declares it, for people: ``environment prod``, ``cluster prod-1``, ``app web``."""
    clusters: tuple[str, ...] | None = None
    """The clusters of the step that it binds; None = every one."""


class Wave(Struct, frozen=True, kw_only=True):
    """One wave as expanded: its clusters in their order in fleet.yaml; it may be empty."""

    name: str
    clusters: tuple[str, ...]


class EnvironmentRollout(Struct, frozen=True, kw_only=True):
    """How changes go through one environment. Every cluster of the environment is in exactly one wave.

    A limit that is None was not set. ``declared``: the environment has a ``rollout`` in fleet.yaml; without one
    it is a single wave (its name is "") without limits.
    """

    environment: str
    waves: tuple[Wave, ...]
    declared: bool = False
    max_parallel: int | None = None
    max_unavailable: int | None = None
    max_failures: int | None = None
    soak: float = 0.0
    deadline: float | None = None
    on_failure: OnFailure = OnFailure.PAUSE
    windows: tuple[Window, ...] = ()
    """Of the environment (``clusters`` None) and of its clusters (``clusters`` is that one)."""
    where: Where | None = None


class AppWindows(Struct, frozen=True, kw_only=True):
    """The windows of one app: they bind a cluster on which the plan changes the app."""

    app: str
    windows: tuple[Window, ...]


class FleetRollout(Struct, frozen=True, kw_only=True):
    """All that fleet.yaml says about rollouts, environments in promotion order."""

    environments: tuple[EnvironmentRollout, ...]
    apps: tuple[AppWindows, ...] = ()


class Step(Struct, frozen=True, kw_only=True):
    """One wave of one environment for one plan. Every cluster of the plan is in exactly one of ``clusters``,
    ``unchanged``, ``unreachable`` and ``failed`` of exactly one step.

    Budgets hold for the environment: ``max_failures`` and ``max_unavailable`` count over all its steps.
    """

    environment: str
    wave: str
    """"" where the environment has no ``rollout``."""
    clusters: tuple[str, ...] = ()
    """To be started here, in this order."""
    unchanged: tuple[str, ...] = ()
    """Nothing to write: never started, never waited for; they count for availability."""
    unreachable: tuple[str, ...] = ()
    """Could not be reached when planned: never started, unavailable, no failure."""
    failed: tuple[str, ...] = ()
    """Could not be planned for another reason (access, identity, ...): never started, a failure."""
    soak: float = 0.0
    """Seconds for which the wave must stay healthy after its last cluster is done. None is waited where nothing
    was started."""
    max_parallel: int | None = None
    """Clusters in work at a time."""
    max_unavailable: int | None = None
    """Clusters of the environment that may be not healthy at any moment; one in work counts as not healthy. 0 is
    as 1: one at a time, and only while all others are healthy."""
    max_failures: int | None = None
    """Failed clusters that are tolerated. None: the wave is finished, and any failure stops before the next."""
    deadline: float | None = None
    """Seconds from the first start of the wave until its last cluster is done."""
    on_failure: OnFailure = OnFailure.PAUSE
    windows: tuple[Window, ...] = ()
    """Of the environment, its clusters and the apps changed on them; all of them must allow a start."""
    declared: bool = False
    """The environment has a ``rollout``: a wave of which no cluster could be reached proves nothing and stops."""

    @property
    def name(self) -> str:
        """``prod / canary``, or ``prod``."""
        return f"{self.environment} / {self.wave}" if self.wave else self.environment

    @property
    def members(self) -> tuple[str, ...]:
        """Every cluster of the plan that is in this wave."""
        return (*self.clusters, *self.unchanged, *self.unreachable, *self.failed)


class ObstacleKind(StrEnum):
    """Why a step would not go through as things are now."""

    WINDOW = "window"
    UNAVAILABLE = "unavailable"
    UNPROVEN = "unproven"
    FAILED = "failed"


class Obstacle(Struct, frozen=True, kw_only=True):
    """What would stop or hold up a step, as far as a plan can tell."""

    environment: str
    wave: str
    kind: ObstacleKind
    why: str
    clusters: tuple[str, ...] = ()
    """Those that it holds up or that are the reason, in order."""
    opens: datetime | None = None
    """Of a WINDOW: when it opens, in its own time zone; None: not within a year."""


class RolloutPlan(Struct, frozen=True, kw_only=True):
    """The steps of one plan: environments in promotion order, waves inside one. ``plan_id`` and ``revision`` are
    the plan's; ``totals`` has the number of clusters of each environment in the fleet, selected or not."""

    plan_id: str
    revision: str
    steps: tuple[Step, ...]
    totals: dict[str, int]
    obstacles: tuple[Obstacle, ...] = ()
    """As seen when it was planned; the machine does not read them."""

    @property
    def guarded(self) -> bool:
        """Whether there is anything to say beyond "all at once": more than one step with work, a budget, a soak,
        a window."""
        busy = [step for step in self.steps if step.clusters]
        return len(busy) > 1 or any(step.declared or step.windows for step in busy)
