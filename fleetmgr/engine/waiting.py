"""What waits for what on one cluster, from its Stack alone: the order that an apply keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetmgr.engine.hooks import IN_A_SYNC
from fleetmgr.engine.order import steps
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.order import AppOrder, OrderStep
from fleetmgr.model.ordering import Ordering, Phase, ordering_of
from fleetmgr.model.resource import Hook, Resource, Stack

_BEFORE = {
    Phase.PRE_SYNC: "",
    Phase.SYNC: "its PreSync hooks",
    Phase.POST_SYNC: "the whole app to be Healthy",
}
_EARLIER = {
    Phase.PRE_SYNC: "the hooks before to complete",
    Phase.SYNC: "what comes before to be Healthy",
    Phase.POST_SYNC: "the hooks before to complete",
}


def order_of(stack: Stack) -> tuple[AppOrder, ...]:
    """Every app of a Stack in the order in which an apply begins them, dependencies first.

    Apps that do not depend on each other go side by side. Namespaces and definitions of all apps are written before
    any step; hooks of a failed apply and of a removal have no step.
    """
    return tuple(
        AppOrder(
            app=app.name,
            after=app.depends_on,
            needed_by=tuple(other.name for other in stack.apps if app.name in other.depends_on),
            steps=tuple(_steps(_members(stack, app.name), _hooks(stack, app.name))),
        )
        for app in stack.apps
    )


def _members(stack: Stack, app: str) -> list[Resource]:
    return [r for r in stack.resources if r.app == app]


def _hooks(stack: Stack, app: str) -> list[Hook]:
    return [h for h in stack.hooks if h.resource.app == app]


def _steps(members: Sequence[Resource], hooks: Sequence[Hook]) -> Iterator[OrderStep]:
    before = False
    for phase in IN_A_SYNC:
        own = {r.ref: ordering_of(r.inputs) for r in members} if phase is Phase.SYNC else {}
        run = {h.resource.ref: h.ordering for h in hooks if phase in (h.ordering.phases or ())}
        orderings: dict[ObjectRef, Ordering] = {**own, **run}
        for number, step in enumerate(steps(orderings.items())):
            yield OrderStep(
                phase=phase.value,
                wave=orderings[step[0]].wave,
                members=tuple(ref for ref in step if ref in own),
                hooks=tuple(ref for ref in step if ref in run),
                waits_for=_EARLIER[phase] if number else (_BEFORE[phase] if before else ""),
            )
            before = True
