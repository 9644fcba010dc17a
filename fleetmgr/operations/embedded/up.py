"""Performing one cluster's changes: namespaces, CRDs, then app by app in dependency order, each stage in kind
order; health; prune last and only if nothing went wrong; the record."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.model.change import Change, ClusterFailure, ClusterPlan, Op
from fleetmgr.model.event import EventSink
from fleetmgr.model.report import ClusterReport
from fleetmgr.operations.embedded.app_walk import app_walks
from fleetmgr.operations.embedded.closing import close_entry, is_over
from fleetmgr.operations.embedded.fenced import exclusively
from fleetmgr.operations.embedded.gates import drive
from fleetmgr.operations.embedded.hook_memory import begin_attempts
from fleetmgr.operations.embedded.lease import is_held
from fleetmgr.operations.embedded.overtaken import catch_up_with_others
from fleetmgr.operations.embedded.parents import prepare, widen
from fleetmgr.operations.embedded.pruning import of_removal, prune
from fleetmgr.operations.embedded.pulumi.registering import Behind, behind, catch_up
from fleetmgr.operations.embedded.remembering import outdated, remember, remember_refusals
from fleetmgr.operations.embedded.run import Run, UpOptions, refuse
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.stages import goes_first, write_prerequisites, write_steps
from fleetmgr.operations.embedded.write import Changed
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.stop import Stop


def up(
    scene: Scene, plan: ClusterPlan, options: UpOptions, *, clock: Clock, stop: Stop, sink: EventSink
) -> ClusterReport:
    """Perform ``plan`` on one cluster. Never raises FleetError: a failing cluster is a result.

    When ``stop`` is set, what is being written is finished and nothing else begun.
    """
    run = Run(scene=scene, plan=plan, options=options, clock=clock, stop=stop, sink=sink)
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


def _exit_code(run: Run) -> ExitCode:
    if run.failure is not None:
        return run.failure.exit_code
    if run.timed_out:
        return ExitCode.TIMEOUT
    if any(r.problem is not None and r.problem.code == Changed.code for r in run.results):
        return ExitCode.STALE
    return ExitCode.FAILED if run.failed_apps else ExitCode.OK


def _perform(run: Run) -> None:
    for change in run.plan.changes:
        if change.op in (Op.CONFLICT, Op.DENIED):
            run.failed(change, refuse(run, change))
    todo = _todo(run)
    refused = set(run.failed_apps)
    if not any(todo) and not is_over(run.scene) and not _others_at_work(run):
        remember_refusals(run, refused)
        return
    with exclusively(
        run.scene,
        run.options.lock,
        plan_id=run.options.plan_id,
        clock=run.clock,
        stop=run.stop,
        sink=run.sink,
        warn=run.warnings.append,
    ) as run.scene:
        try:
            todo = _todo(run) if catch_up_with_others(run) else todo
            concluded = _perform_alone(run, *todo)
            remember_refusals(run, refused - concluded)
        except FleetError:
            if run.stop.is_set():
                with contextlib.suppress(
                    FleetError
                ):  # what was stopped is remembered where that still can be
                    remember(run, {result.app for result in run.results})
            raise


def _others_at_work(run: Run) -> bool:
    """Whether another run may be changing what this one has found to be as Git wants it: then it must be asked for
    the lease, and what the other one left be looked at."""
    lock = run.options.lock
    return lock is not None and is_held(run.scene.client, run.scene.entry, lock, clock=run.clock)


def _todo(run: Run) -> tuple[Sequence[Change], set[str], Behind]:
    """What is to be written, the apps whose memory is behind, and what Pulumi's state lacks."""
    writes = [c for c in run.plan.changes if c.due]
    return writes, outdated(run), behind(run)


def _perform_alone(run: Run, writes: Sequence[Change], memory: set[str], missing: Behind) -> set[str]:
    """The apps whose records it has written."""
    scene = run.scene
    if not scene.removing:
        prepare(scene, now=run.now())
    catch_up(run, missing)
    desired = [c for c in writes if c.op is not Op.DELETE and not of_removal(c)]
    for app in {c.app for c in desired}:
        widen(scene, app)
    begin_attempts(run)
    write_prerequisites(run, writes)
    later = [c for c in desired if not goes_first(c)]
    drive(
        run,
        app_walks(run, {a: [c for c in later if c.app == a] for a in {c.app for c in desired}}),
        write_steps,
    )
    prune(run, [c for c in writes if c.op is Op.DELETE or of_removal(c)])
    concluded = {c.app for c in writes} | memory | outdated(run)
    remember(run, concluded)
    if scene.removing:
        close_entry(scene)
    return concluded
