"""Having Pulumi perform changes: each is looked at like a write of our own, then one run does them all.

A run of the CLI starts processes and reads its backend, so what several apps may write at one moment goes into one
run. What Pulumi cannot do exactly is done by us first and registered: adopting an object, replacing one (Pulumi has no
fence for what it deletes, creates first where its provider asks for no replacement, and keeps what it protects), and
namespaces that no app owns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from fleetmgr.errors import FleetError, Problem
from fleetmgr.model.change import Change, Op
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.adopting import write_adoption
from fleetmgr.operations.embedded.gates import Write, Written
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.persisting import persistently
from fleetmgr.operations.embedded.pulumi.requesting import request_for
from fleetmgr.operations.embedded.pulumi.state import held, urn_of
from fleetmgr.operations.embedded.recreating import recreate
from fleetmgr.operations.embedded.run import Run, at_origin, check_stop, settle_dead
from fleetmgr.operations.embedded.write import ready_to_write, write_namespace
from fleetmgr.ports.pulumi import Outcome, PulumiStack, StateResource, Step


class _Ready(Struct, frozen=True, kw_only=True):
    """A change that may be performed; ``resource`` None: it is done."""

    resource: Resource | None
    warnings: tuple[str, ...] = ()


def write_steps(run: Run, stack: PulumiStack, wanted: Sequence[Write]) -> dict[str, Written]:
    """Perform what apps may write now, in one run. Raises Interrupted, ClusterError and PulumiError."""
    check_stop(run)
    changes = [change for one in wanted for change in one.changes]
    known = held(stack.state())
    answers = in_parallel(lambda change: _looked_at(run, change), changes)
    going = _accepted(run, changes, answers)
    if going:
        outcome = _performed(run, stack, known, going)
        _book(run, going, outcome)
    settle_dead(answers)
    check_stop(run)
    return {one.app: Written(well=one.app not in run.failed_apps) for one in wanted}


def _looked_at(run: Run, change: Change) -> _Ready | FleetError:
    try:
        return persistently(run, change.app, lambda: _ready(run, change))
    except FleetError as error:
        return error


def _ready(run: Run, change: Change) -> _Ready:
    scene = run.scene
    resource = scene.resources.get(change.ref.key)
    if resource is None:
        return _Ready(resource=None, warnings=write_namespace(scene, change.ref))
    warnings: tuple[str, ...] = ()
    if change.op is Op.ADOPT:
        warnings = write_adoption(scene, resource, change)
    elif change.op is Op.REPLACE:
        warnings = recreate(run, resource, change)
    return _Ready(resource=ready_to_write(scene, resource), warnings=warnings)


def _accepted(
    run: Run, changes: Sequence[Change], answers: Sequence[_Ready | FleetError]
) -> dict[str, tuple[Change, _Ready]]:
    """What goes into the run, by URN. An app with an object that may not be written sends none of this moment's."""
    refused = {c.app for c, answer in zip(changes, answers, strict=True) if isinstance(answer, FleetError)}
    going: dict[str, tuple[Change, _Ready]] = {}
    for change, answer in zip(changes, answers, strict=True):
        if isinstance(answer, FleetError):
            run.failed(change, at_origin(run, change, answer))
        elif answer.resource is None:
            run.warnings += answer.warnings
            run.done(change)
        elif change.app in refused:
            run.skipped([change], "an object of the same app could not be written")
        else:
            run.warnings += answer.warnings
            going[urn_of(run.scene, answer.resource)] = (change, answer)
    return going


def _performed(
    run: Run,
    stack: PulumiStack,
    known: Mapping[ObjectKey, StateResource],
    going: Mapping[str, tuple[Change, _Ready]],
) -> Outcome:
    """One run; what is done is told as it is done."""

    def told(step: Step) -> None:
        if step.urn in going and step.problem is None:
            run.done(going[step.urn][0])

    ready = [one for _, one in going.values()]
    resources = [one.resource for one in ready if one.resource is not None]
    request = request_for(run, known, resources)
    return stack.up(request, stop=run.stop, on_step=told)


def _book(run: Run, going: Mapping[str, tuple[Change, _Ready]], outcome: Outcome) -> None:
    """Every target has an end: done, failed, or not reached because the run failed elsewhere."""
    run.warnings += outcome.warnings
    steps = {step.urn: step for step in outcome.steps}
    failed = any(step.problem is not None for step in outcome.steps)
    for urn, (change, _) in going.items():
        step = steps.get(urn)
        if step is not None and step.problem is not None:
            run.failed(change, _at_line(run, change, step.problem))
        elif step is not None:
            continue
        elif outcome.failure is None and not failed:
            run.done(change)  # nothing was left to do for it
        elif outcome.failure is not None and not failed:
            run.failed(change, _at_line(run, change, outcome.failure))
        else:
            run.skipped([change], "Pulumi stopped before it, because another object failed")


def _at_line(run: Run, change: Change, problem: Problem) -> Problem:
    if change.origin is None:
        return problem
    where = change.origin.where(obj=str(change.ref), cluster=run.cluster)
    return Problem(message=problem.message, where=where, hint=problem.hint, code=problem.code)
