"""What of a stack one run is about, in the words of the CLI.

``--target`` is how it is said. It has a trap: what the program no longer registers, and depends on a target or is a
child of one, counts as a target of deletion that was not named, and fails the run after its creates
(step_generator.go, ``getTargetDependents``). So where the state holds anything that waits to be deleted and is not
asked for, the run is said by ``--exclude``, which means the same and has no such rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from fleetmgr.adapters.pulumi.deployment import Held
from fleetmgr.adapters.pulumi.urns import as_target, parsed
from fleetmgr.errors import Problem, Where
from fleetmgr.model.resource import Stack
from fleetmgr.model.urn import APP_TYPE, app_urn
from fleetmgr.ports.pulumi import Request, Step, StepOp
from fleetmgr.ports.pulumi_errors import CannotDo, StepRefused

_LONGEST = 1_500_000
"""Bytes of arguments of one process; Linux takes 2 MiB, environment included."""


class Selected(Struct, frozen=True, kw_only=True):
    """At most one of the two; neither is the whole stack."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


def selected(request: Request, held: Held) -> Selected:
    """``request.targets`` for the CLI. Raises CannotDo for what it does not take."""
    if request.targets is None:
        return Selected()
    _check(request, request.targets)
    wanted = frozenset(request.targets)
    declared = _urns(request.stack)
    both = held.urns & declared.keys()
    undeclared = _of_state(held) - declared.keys() - _components(request.stack)
    if undeclared - wanted:
        others = (*sorted(undeclared), *declared)
        chosen = Selected(excludes=tuple(as_target(u, known=u in both) for u in others if u not in wanted))
    else:
        # A new target's component must be one too; one that the state knows must not, for its children's sake.
        above = {declared[urn] for urn in wanted if urn in declared} - held.urns
        asked = (*sorted(above), *request.targets)
        chosen = Selected(targets=tuple(as_target(u, known=u in both) for u in asked))
    if sum(len(urn) + 12 for urn in (*chosen.targets, *chosen.excludes)) > _LONGEST:
        raise CannotDo(
            "one run of the Pulumi CLI does not take so many targets",
            where=Where(cluster=request.stack.cluster),
            hint="select fewer apps at a time, or all",
        )
    return chosen


def _check(request: Request, targets: Sequence[str]) -> None:
    starred = next((urn for urn in targets if "*" in urn), None)
    if starred is not None:
        raise CannotDo(
            f"Pulumi takes {starred} for a pattern, so it cannot be one of several that are changed",
            where=Where(cluster=request.stack.cluster),
        )


def _urns(stack: Stack) -> dict[str, str]:
    """URN -> that of its component."""
    project, name = stack.fleet, stack.cluster
    return {
        r.urn(project=project, stack=name): app_urn(r.app, project=project, stack=name)
        for r in stack.resources
    }


def _components(stack: Stack) -> frozenset[str]:
    return frozenset(app_urn(app.name, project=stack.fleet, stack=stack.cluster) for app in stack.apps)


def _of_state(held: Held) -> frozenset[str]:
    """Objects and components of the state."""
    return frozenset(
        urn for urn in held.urns if (p := parsed(urn)) is not None and (p.ours or p.type == APP_TYPE)
    )


def left_out(request: Request, held: Held, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Deletes that were asked for and did not come: Pulumi leaves out, without a word, what something else that stays
    depends on."""
    return tuple(_left_out(request, held, {step.urn for step in steps}))


def _left_out(request: Request, held: Held, told: set[str]) -> Iterator[Step]:
    gone = held.urns - _urns(request.stack).keys()
    for urn in request.targets or ():
        if urn in gone and urn not in told:
            parts = parsed(urn)
            where = Where(cluster=request.stack.cluster, object=parts.object if parts else urn)
            message = "Pulumi does not delete it, because something that stays depends on it"
            yield Step(
                urn=urn,
                op=StepOp.DELETE,
                problem=Problem(message=message, where=where, code=StepRefused.code),
            )
