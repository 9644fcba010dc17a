"""What a run did, and how the fleet is: results per object, per cluster, per fleet."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from fleetmgr.errors import ExitCode, Problem
from fleetmgr.model.change import ClusterFailure, Op, Verb
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.memory import RunResult
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.rollout_history import RolloutStatus


class Outcome(StrEnum):
    """How one write ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not tried, because something before it failed."""
    WAITING = "waiting"
    """Not done, because it needs a confirmation that nobody has given."""


class ObjectResult(Struct, frozen=True, kw_only=True):
    """One Change of the plan after the apply."""

    op: Op
    app: str
    ref: ObjectRef
    outcome: Outcome
    problem: Problem | None = None


class ObjectHealth(Struct, frozen=True, kw_only=True):
    """Health of one live object."""

    ref: ObjectRef
    health: Health


class AppHealth(Struct, frozen=True, kw_only=True):
    """Health of one app on one cluster: the worst of its objects."""

    app: str
    status: HealthStatus
    message: str = ""


class ClusterReport(Struct, frozen=True, kw_only=True):
    """What an apply did on one cluster entry. ``exit_code`` is this cluster's own."""

    cluster: str
    environment: str
    exit_code: ExitCode
    results: tuple[ObjectResult, ...] = ()
    health: tuple[AppHealth, ...] = ()
    failure: ClusterFailure | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    begun: bool = True
    """False: its turn never came (``Report.stopped`` says why); nothing was written."""
    rolled_back: str | None = None
    """The revision that it went back to afterwards; "" where there was no way back."""


class Stopped(Struct, frozen=True, kw_only=True):
    """Why a run ended before every cluster had its turn. ``exit_code`` is what that alone is worth."""

    problem: Problem
    exit_code: ExitCode


class ReportRollout(Struct, frozen=True, kw_only=True):
    """The rollout that a run was, where clusters remember it; ``status`` as it ended."""

    id: str
    status: RolloutStatus


class Report(Struct, frozen=True, kw_only=True):
    """What an apply did on the fleet."""

    plan_id: str
    fleet: str
    revision: str
    clusters: tuple[ClusterReport, ...]
    partial: bool = False
    verb: Verb = Verb.APPLY
    stopped: Stopped | None = None
    rollout: ReportRollout | None = None


class SyncStatus(StrEnum):
    """Whether live is as desired."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    UNKNOWN = "Unknown"


class TargetStatus(Struct, frozen=True, kw_only=True):
    """One app on one cluster. ``revision`` and ``applied_at`` (RFC 3339) are of the last apply; None = never."""

    app: str
    cluster: str
    environment: str
    sync: SyncStatus
    health: Health
    pending: int = 0
    """Objects that an apply would write."""
    revision: str | None = None
    applied_at: str | None = None
    actor: str | None = None
    objects: tuple[ObjectHealth, ...] = ()
    images: tuple[str, ...] = ()
    """Of the live workloads' containers."""
    since: str | None = None
    """RFC 3339: since when it has its health, as far as the live objects and the memory of applies say."""
    healthy_since: str | None = None
    """RFC 3339: since when it is Healthy with what was last applied; None when it is not."""
    results: tuple[RunResult, ...] = ()
    """The last runs, newest first."""


class ClusterState(Struct, frozen=True, kw_only=True):
    """A cluster entry in ``fleet status``."""

    cluster: str
    environment: str
    version: str | None
    targets: tuple[TargetStatus, ...] = ()
    failure: ClusterFailure | None = None


class FleetStatus(Struct, frozen=True, kw_only=True):
    """``fleet status``."""

    fleet: str
    revision: str
    clusters: tuple[ClusterState, ...]
    at: str = ""
    """RFC 3339: when it was looked at."""


class CheckResult(StrEnum):
    """How a doctor's check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class DoctorCheck(Struct, frozen=True, kw_only=True):
    """One thing that ``fleet doctor`` looked at; ``cluster`` None = this machine."""

    name: str
    result: CheckResult
    message: str
    cluster: str | None = None
    hint: str | None = None
    exit_code: ExitCode = ExitCode.OK


class Diagnosis(Struct, frozen=True, kw_only=True):
    """``fleet doctor``."""

    checks: tuple[DoctorCheck, ...]
