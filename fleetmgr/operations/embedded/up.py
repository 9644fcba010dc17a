"""Performing one cluster's changes: namespaces, CRDs, then app by app in dependency order, each stage in kind
order; health; prune last and only if nothing went wrong; the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from msgspec import Struct, field

from fleetmgr.engine.order import stages
from fleetmgr.errors import ExitCode, FleetError, Problem, Where
from fleetmgr.model.change import Change, ClusterFailure, ClusterPlan, Op
from fleetmgr.model.event import EventSink, ObjectChanged, ObjectFailed
from fleetmgr.model.objects import GroupKind, ObjectKey, ObjectRef
from fleetmgr.model.report import AppHealth, ClusterReport, ObjectResult, Outcome
from fleetmgr.operations.embedded.adopting import write_adoption
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.parents import (
    Signature,
    conclude,
    forget,
    new_record,
    prepare,
    stale,
    widen,
)
from fleetmgr.operations.embedded.scene import CRD, Scene
from fleetmgr.operations.embedded.wait import Awaited, await_apps
from fleetmgr.operations.embedded.write import Changed, delete_object, write_namespace, write_resource
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster_errors import AuthFailed, Unreachable
from fleetmgr.ports.stop import Stop

NAMESPACE = GroupKind("", "Namespace")


class Interrupted(FleetError):
    """The run was asked to stop."""

    code: ClassVar[str] = "FLT-2004"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERRUPTED


class UpOptions(Struct, frozen=True, kw_only=True):
    """How to perform. ``timeout`` (seconds) overrides each app's own; ``wait`` False skips the last wait, not
    the one for dependencies."""

    plan_id: str
    revision: str
    actor: str
    wait: bool
    timeout: float | None

    def signature(self, now: str) -> Signature:
        """What the records of this run say of it."""
        return Signature(plan_id=self.plan_id, revision=self.revision, actor=self.actor, at=now)


class _Run(Struct, kw_only=True):
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

    @property
    def cluster(self) -> str:
        return self.scene.entry.cluster

    def now(self) -> str:
        return self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def done(self, change: Change) -> None:
        self.results.append(_result(change, Outcome.DONE))
        self.sink(ObjectChanged(cluster=self.cluster, app=change.app, op=change.op, ref=change.ref))

    def failed(self, change: Change, problem: Problem) -> None:
        self.failed_apps.add(change.app)
        self.results.append(_result(change, Outcome.FAILED, problem))
        self.sink(ObjectFailed(cluster=self.cluster, app=change.app, ref=change.ref, problem=problem))

    def skipped(self, changes: Iterable[Change], why: str) -> None:
        for change in changes:
            self.failed_apps.add(change.app)
            self.results.append(_result(change, Outcome.SKIPPED, Problem(message=why)))


def _result(change: Change, outcome: Outcome, problem: Problem | None = None) -> ObjectResult:
    return ObjectResult(op=change.op, app=change.app, ref=change.ref, outcome=outcome, problem=problem)


def up(
    scene: Scene, plan: ClusterPlan, options: UpOptions, *, clock: Clock, stop: Stop, sink: EventSink
) -> ClusterReport:
    """Perform ``plan`` on one cluster. Never raises FleetError: a failing cluster is a result.

    When ``stop`` is set, what is being written is finished and nothing else begun.
    """
    run = _Run(scene=scene, plan=plan, options=options, clock=clock, stop=stop, sink=sink)
    started = clock.monotonic()
    try:
        _perform(run)
    except FleetError as error:
        run.failure = ClusterFailure(problem=error.problem(), exit_code=error.exit_code)
    return ClusterReport(
        cluster=run.cluster,
        environment=scene.entry.environment,
        exit_code=_exit_code(run),
        results=tuple(sorted(run.results, key=lambda r: (r.app, r.ref))),
        health=tuple(run.health[app] for app in sorted(run.health)),
        failure=run.failure,
        seconds=clock.monotonic() - started,
        warnings=tuple(sorted(set(run.warnings))),
    )


def _exit_code(run: _Run) -> ExitCode:
    if run.failure is not None:
        return run.failure.exit_code
    if run.timed_out:
        return ExitCode.TIMEOUT
    if any(r.problem is not None and r.problem.code == Changed.code for r in run.results):
        return ExitCode.STALE
    return ExitCode.FAILED if run.failed_apps else ExitCode.OK


def _perform(run: _Run) -> None:
    scene = run.scene
    writes = [c for c in run.plan.changes if c.op.writes]
    memory = _outdated(run)
    for change in run.plan.changes:
        if change.op in (Op.CONFLICT, Op.DENIED):
            run.failed(change, _refusal(run, change))
    if not writes and not memory:
        return
    prepare(scene, now=run.now())
    touched = [a.name for a in scene.stack.apps if a.name in scene.apps]
    for app in {c.app for c in writes if c.op is not Op.DELETE} & set(touched):
        widen(scene, app)
    _prerequisites(run, writes)
    for app in touched:
        _app(run, app, [c for c in writes if c.app == app and not _first(c) and c.op is not Op.DELETE])
    _wait_for_all(run, [a for a in touched if any(c.app == a and c.op is not Op.DELETE for c in writes)])
    _prune(run, [c for c in writes if c.op is Op.DELETE])
    _remember(run, {c.app for c in writes} | memory | _outdated(run))


def _refusal(run: _Run, change: Change) -> Problem:
    where = Where(cluster=run.cluster, object=str(change.ref))
    if change.origin is not None:
        where = change.origin.where(obj=str(change.ref), cluster=run.cluster)
    return Problem(message=change.reason or change.op.value, where=where, code="FLT-2003")


def _first(change: Change) -> bool:
    """Namespaces and CRDs go before everything, whatever their app."""
    return change.ref.key.group_kind in (CRD, NAMESPACE)


def _prerequisites(run: _Run, writes: Sequence[Change]) -> None:
    first = [c for c in writes if _first(c) and c.op is not Op.DELETE]
    for stage in stages(c.ref for c in first):
        _write_all(run, [c for c in first if c.ref in stage])
    definitions = sorted({c.app for c in first if c.ref.key.group_kind == CRD} - run.failed_apps)
    if definitions:
        only = frozenset({CRD})
        _await(run, definitions, only=only)
        run.scene.client.discover(fresh=True)


def _app(run: _Run, app: str, changes: Sequence[Change]) -> None:
    if not changes:
        return
    blocked = _blocked_by(run, app)
    if blocked:
        run.skipped(changes, f"app {blocked}, which {app} depends on, failed or is not Healthy")
        return
    for stage in stages(c.ref for c in changes):
        members = [c for c in changes if c.ref in stage]
        if app in run.failed_apps and any(r.outcome is Outcome.FAILED and r.app == app for r in run.results):
            run.skipped(members, "an object before it failed")
        else:
            _write_all(run, members)


def _blocked_by(run: _Run, app: str) -> str | None:
    """The dependency that keeps an app from being written: health-gated, dependencies first."""
    current = run.scene.stack_app(app)
    needed = [d for d in (current.depends_on if current else ()) if d in run.scene.apps]
    for name in needed:
        if name in run.failed_apps:
            return name
    waiting = [name for name in needed if name not in run.health]
    if waiting:
        _await(run, waiting)
    return next((name for name in needed if name in run.failed_apps), None)


def _check_stop(run: _Run) -> None:
    if run.stop.is_set():
        raise Interrupted("stopped before everything was done", hint="apply again: it goes on from here")


def _write_all(run: _Run, changes: Sequence[Change]) -> None:
    _check_stop(run)

    def write(change: Change) -> FleetError | tuple[str, ...]:
        try:
            resource = run.scene.resources.get(change.ref.key)
            if resource is None:
                return write_namespace(run.scene, change.ref)
            if change.op is Op.ADOPT:
                return write_adoption(run.scene, resource, change)
            return write_resource(run.scene, resource)
        except FleetError as error:
            return error

    _settle_all(run, changes, in_parallel(write, changes))


def _settle_all(
    run: _Run, changes: Sequence[Change], answers: Sequence[FleetError | tuple[str, ...]]
) -> None:
    """Book every answer before a dead cluster ends the run."""
    for change, answer in zip(changes, answers, strict=True):
        if isinstance(answer, FleetError):
            run.failed(change, _at_origin(run, change, answer))
        else:
            run.warnings += answer
            run.done(change)
    for answer in answers:
        if isinstance(answer, (Unreachable, AuthFailed)):
            raise answer


def _at_origin(run: _Run, change: Change, error: FleetError) -> Problem:
    problem = error.problem()
    if change.origin is None:
        return problem
    field_path = error.where.field if error.where else None
    where = change.origin.where(obj=str(change.ref), cluster=run.cluster, field=field_path)
    return Problem(message=problem.message, where=where, hint=problem.hint, code=problem.code)


def _await(run: _Run, apps: Sequence[str], *, only: frozenset[GroupKind] | None = None) -> None:
    awaited = _awaited(run, apps, only)
    _check_stop(run)
    for health in awaited.health:
        if only is None:
            run.health[health.app] = health
    if awaited.healthy:
        return
    run.timed_out = run.timed_out or awaited.timed_out
    for health in awaited.health:
        if health.status.value not in ("Healthy", "Suspended"):
            run.failed_apps.add(health.app)
            run.health[health.app] = health


def _awaited(run: _Run, apps: Sequence[str], only: frozenset[GroupKind] | None) -> Awaited:
    start = run.clock.monotonic()
    deadlines: dict[str, float] = {}
    for name in apps:
        app = run.scene.stack_app(name)
        timeout = run.options.timeout if run.options.timeout is not None else (app.timeout if app else 0.0)
        deadlines[name] = start + timeout
    return await_apps(run.scene, deadlines, clock=run.clock, stop=run.stop, sink=run.sink, only=only)


def _wait_for_all(run: _Run, apps: Sequence[str]) -> None:
    if run.options.wait:
        waiting = [a for a in apps if a not in run.health and a not in run.failed_apps]
        if waiting:
            _await(run, waiting)


def _prune(run: _Run, deletes: Sequence[Change]) -> None:
    if not deletes:
        return
    if run.failed_apps:
        for change in deletes:
            problem = Problem(message="not deleted: something else on this cluster failed first")
            run.results.append(_result(change, Outcome.SKIPPED, problem))
        return

    def delete(change: Change) -> FleetError | tuple[str, ...]:
        try:
            if not delete_object(run.scene, change):
                run.lingering.add(change.ref)
        except FleetError as error:
            return error
        return ()

    for stage in reversed(stages(c.ref for c in deletes)):
        _check_stop(run)
        members = [c for c in deletes if c.ref in stage]
        _settle_all(run, members, in_parallel(delete, members))


def _remember(run: _Run, apps: Iterable[str]) -> None:
    scene = run.scene
    written = [r.ref.key for r in run.results if r.outcome is Outcome.DONE and r.op is not Op.DELETE]
    healed = [c for c in run.plan.changes if c.drift and c.ref.key in written]
    for app in sorted(apps):
        left = _left(run, app)
        if scene.stack_app(app) is None and not left:
            forget(scene, app)
            continue
        record = new_record(
            scene,
            app,
            run=run.options.signature(run.now()),
            outcome="failed" if app in run.failed_apps else "done",
            written=written,
            healed=[c for c in healed if c.app == app],
        )
        conclude(scene, app, record, left=left)


def _left(run: _Run, app: str) -> list[ObjectKey]:
    """Members that are still there and not this app's to desire: orphans, what was not deleted, and what
    another app desires but has not taken over yet."""
    done = [r for r in run.results if r.outcome is Outcome.DONE]
    gone = {r.ref.key for r in done if r.op is not Op.DELETE or r.ref not in run.lingering}
    scene = run.scene
    return [key for key, live in scene.live.items() if key not in gone and scene.whose(live).app == app]


def _outdated(run: _Run) -> set[str]:
    """Apps whose memory is behind what is live (a run was killed), and apps that are gone with all objects."""
    scene = run.scene
    gone = {a for a in scene.apps if scene.stack_app(a) is None and a in scene.parents and not _left(run, a)}
    return gone | {a for a in scene.apps if stale(scene, a)}
