"""What has happened so far in an apply on one cluster; ``up`` and its parts share it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from fleetmgr.engine.record import HookMemory
from fleetmgr.errors import FleetError, Problem, Where
from fleetmgr.model.change import Change, ClusterFailure, ClusterPlan, Op
from fleetmgr.model.event import EventSink, ObjectChanged, ObjectFailed
from fleetmgr.model.objects import ObjectKey, ObjectRef
from fleetmgr.model.ordering import Phase
from fleetmgr.model.report import AppHealth, ObjectResult, Outcome
from fleetmgr.operations.embedded.lease import LeaseLost, LockRequest
from fleetmgr.operations.embedded.parents import Signature
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.stopping import raise_if_set
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster_errors import AuthFailed, Unreachable
from fleetmgr.ports.stop import Stop


class UpOptions(Struct, frozen=True, kw_only=True):
    """How to perform. ``timeout`` (seconds) overrides each app's own; ``wait`` False skips the last wait, not
    the one for dependencies."""

    plan_id: str
    revision: str
    actor: str
    wait: bool
    timeout: float | None
    dirty_reason: str = ""
    """Why uncommitted files are applied, where they are and somebody said so."""
    lock: LockRequest | None = None
    """Who takes the lease of the entry; None takes none."""

    def signature(self, now: str) -> Signature:
        """What the records of this run say of it."""
        return Signature(
            plan_id=self.plan_id,
            revision=self.revision,
            actor=self.actor,
            at=now,
            dirty_reason=self.dirty_reason,
        )


class Run(Struct, kw_only=True):
    """What has happened so far on one cluster; only ``up`` and its parts touch it."""

    scene: Scene
    plan: ClusterPlan
    options: UpOptions
    clock: Clock
    stop: Stop
    sink: EventSink
    results: list[ObjectResult] = field(default_factory=list[ObjectResult])
    warnings: list[str] = field(default_factory=list[str])
    failed_apps: set[str] = field(default_factory=set[str])
    health: dict[str, AppHealth] = field(default_factory=dict[str, AppHealth])
    failure: ClusterFailure | None = None
    timed_out: bool = False
    lingering: set[ObjectRef] = field(default_factory=set[ObjectRef])
    """Deleted, but held by finalizers."""
    hook_memory: dict[str, HookMemory] = field(default_factory=dict[str, HookMemory])
    """Of the apps whose hooks this run may run."""
    awaited: Mapping[ObjectKey, tuple[ObjectKey, ...]] = field(
        default_factory=dict[ObjectKey, tuple[ObjectKey, ...]]
    )
    """Objects, each with what other apps must have ready before it: webhooks that see it, the API that serves it."""
    broken: set[ObjectRef] = field(default_factory=set[ObjectRef])
    """Hooks that failed."""

    @property
    def cluster(self) -> str:
        return self.scene.entry.cluster

    def now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def done(self, change: Change) -> None:
        self.results.append(result_of(change, Outcome.DONE))
        self.sink(ObjectChanged(cluster=self.cluster, app=change.app, op=change.op, ref=change.ref))

    def failed(self, change: Change, problem: Problem) -> None:
        self.failed_apps.add(change.app)
        self.results.append(result_of(change, Outcome.FAILED, problem))
        self.sink(ObjectFailed(cluster=self.cluster, app=change.app, ref=change.ref, problem=problem))

    def broke(self, change: Change, problem: Problem) -> None:
        self.broken.add(change.ref)
        self.failed(change, problem)

    def hook_changes(self, app: str, phase: Phase) -> list[Change]:
        hooks = (c for c in self.plan.changes if c.app == app and c.op is Op.HOOK)
        return [c for c in hooks if c.hook is not None and c.hook.phase == phase.value]

    def skipped(self, changes: Iterable[Change], why: str) -> None:
        for change in changes:
            self.failed_apps.add(change.app)
            self.left([change], why)

    def left(self, changes: Iterable[Change], why: str) -> None:
        self.results += (result_of(c, Outcome.SKIPPED, Problem(message=why)) for c in changes)


def result_of(change: Change, outcome: Outcome, problem: Problem | None = None) -> ObjectResult:
    """How one Change came out."""
    return ObjectResult(op=change.op, app=change.app, ref=change.ref, outcome=outcome, problem=problem)


def refuse(run: Run, change: Change) -> Problem:
    """Why a conflict or a denied object fails its app, at its line in Git."""
    where = Where(cluster=run.cluster, object=str(change.ref))
    if change.origin is not None:
        where = change.origin.where(obj=str(change.ref), cluster=run.cluster)
    return Problem(message=change.reason or change.op.value, where=where, code="FLT-2003")


def at_origin(run: Run, change: Change, error: FleetError) -> Problem:
    """An error of a write, at the line in Git that it comes from."""
    problem = error.problem()
    if change.origin is None:
        return problem
    field_path = error.where.field if error.where else None
    where = change.origin.where(obj=str(change.ref), cluster=run.cluster, field=field_path)
    return Problem(message=problem.message, where=where, hint=problem.hint, code=problem.code)


def check_stop(run: Run) -> None:
    """Raises Interrupted once somebody asked the run to stop."""
    raise_if_set(run.stop)


def settle_all(run: Run, changes: Sequence[Change], answers: Sequence[FleetError | tuple[str, ...]]) -> bool:
    """Book every answer before a dead cluster ends the run; whether all went well."""
    for change, answer in zip(changes, answers, strict=True):
        if isinstance(answer, FleetError):
            run.failed(change, at_origin(run, change, answer))
        else:
            run.warnings += answer
            run.done(change)
    settle_dead(answers)
    return not any(isinstance(answer, FleetError) for answer in answers)


def settle_dead(answers: Sequence[object]) -> None:
    """Raises the answer that says that the cluster cannot be asked any more."""
    for answer in answers:
        if isinstance(answer, (Unreachable, AuthFailed, LeaseLost)):
            raise answer
