"""Having Pulumi delete what is no longer desired, as far as its state holds it; the rest is deleted by us.

What the state protects or would only forget (``retainOnDelete``) is ours to delete as well: it was decided here, with
the consent that our plan asks for. Afterwards the state forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from fleetmgr.errors import FleetError
from fleetmgr.model.change import Change
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.pulumi.requesting import patience
from fleetmgr.operations.embedded.pulumi.state import held
from fleetmgr.operations.embedded.run import Run, at_origin, check_stop, settle_dead
from fleetmgr.operations.embedded.write import deletable, is_gone
from fleetmgr.ports.pulumi import Outcome, PulumiStack, Request

Delete = Callable[[Sequence[Change]], None]


def delete(run: Run, stack: PulumiStack, changes: Sequence[Change], by_us: Delete) -> None:
    """Delete; what finalizers hold is booked as lingering. Raises Interrupted, ClusterError and PulumiError."""
    check_stop(run)
    known = held(stack.state())
    through = [c for c in changes if c.ref.key in known and not known[c.ref.key].protect]
    ours = [c for c in changes if c not in through]
    if ours:
        by_us(ours)
        stack.forget(
            tuple(known[c.ref.key].urn for c in ours if c.ref.key in known and c.ref not in run.lingering)
        )
    going = _allowed(run, through)
    if going:
        urns = {known[c.ref.key].urn: c for c in going}
        left = _book(run, urns, _performed(run, stack, urns))
        if left:
            by_us(left)


def _allowed(run: Run, changes: Sequence[Change]) -> list[Change]:
    """Those that a fresh read still allows to delete."""

    def look(change: Change) -> FleetError | None:
        try:
            deletable(run.scene, change)
        except FleetError as error:
            return error
        return None

    answers = in_parallel(look, changes)
    for change, answer in zip(changes, answers, strict=True):
        if answer is not None:
            run.failed(change, at_origin(run, change, answer))
    settle_dead(answers)
    return [c for c, answer in zip(changes, answers, strict=True) if answer is None]


def _performed(run: Run, stack: PulumiStack, urns: Mapping[str, Change]) -> Outcome:
    request = Request(
        stack=replace(run.scene.stack, resources=(), hooks=(), warnings=()),
        targets=tuple(urns),
        seconds=patience(run, {change.app for change in urns.values()}),
    )
    return stack.up(request, stop=run.stop, on_step=lambda _: None)


def _book(run: Run, urns: Mapping[str, Change], outcome: Outcome) -> list[Change]:
    """What is gone is done. Returns what Pulumi was content to forget (``retainOnDelete``): that is ours to delete,
    and so is what it could only begin to delete, which asks for nothing new."""
    run.warnings += outcome.warnings
    problems = {step.urn: step.problem for step in outcome.steps if step.problem is not None}
    left: list[Change] = []
    for urn, change in urns.items():
        problem = problems.get(urn) or (outcome.failure if not problems else None)
        if is_gone(run.scene, change.ref):
            run.done(change)
        elif problem is not None:
            run.failed(change, problem)
        elif problems:
            run.skipped([change], "Pulumi stopped before it, because another object failed")
        else:
            left.append(change)
    return left
