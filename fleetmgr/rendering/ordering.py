"""Annotations that order objects, checked where they are rendered: values that cannot be read, and dependencies
that no order of writing could keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.model.objects import ObjectKey, ObjectRef, Origin
from fleetmgr.model.ordering import DEPENDS_ON, IN_TURN, REMOVAL, Fault, Ordering, Phase

BAD_ORDERING = "FLT-1320"
DEPENDS_ON_NOTHING = "FLT-1321"
DEPENDS_ON_LATER = "FLT-1322"
UNKEPT_AT_REMOVAL = "FLT-1323"


class Placed(Struct, frozen=True, kw_only=True):
    """One object of a Stack with what it says about its order; ``depends_on`` are the apps its app depends on."""

    app: str
    ref: ObjectRef
    origin: Origin
    ordering: Ordering
    depends_on: tuple[str, ...]

    def problem(self, message: str, hint: str, code: str, cluster: str | None = None) -> Problem:
        """One about this object's own annotation."""
        where = self.origin.where(obj=self.ref.short, field=_field(DEPENDS_ON), cluster=cluster)
        return Problem(message=message, where=where, hint=hint, code=code)


def unreadable(faults: Iterable[Fault], ref: ObjectRef, origin: Origin) -> list[Problem]:
    """Values that say nothing."""
    return [
        Problem(
            message=f"{fault.annotation}: {fault.message}",
            where=origin.where(obj=ref.short, field=_field(fault.annotation)),
            hint=fault.hint,
            code=BAD_ORDERING,
        )
        for fault in faults
    ]


def _field(annotation: str) -> str:
    return f"metadata.annotations[{annotation}]"


def ordering_problems(objects: Sequence[Placed], cluster: str) -> list[Problem]:
    """Dependencies on nothing, on something that comes later, on oneself; hooks that must not be remembered."""
    problems = [p for o in objects if o.ordering.phases is not None for p in _removal_problems(o)]
    dependent = [o for o in objects if o.ordering.depends_on]
    if not dependent:
        return problems
    by_key = {o.ref.key: o for o in objects}
    edges: dict[ObjectKey, list[ObjectKey]] = {}
    for one in dependent:
        for key in one.ordering.depends_on:
            found = list(_edge_problems(one, key, by_key, cluster))
            problems += found
            if not found and by_key[key].app == one.app and _turn(by_key[key]) == _turn(one):
                edges.setdefault(one.ref.key, []).append(key)
    return [*problems, *_cycles(edges, by_key, cluster)]


def _removal_problems(one: Placed) -> Iterator[Problem]:
    if one.ref.kind == "Secret" and not one.ref.group and set(one.ordering.phases or ()) & set(REMOVAL):
        message = "a Secret cannot be a PreDelete or PostDelete hook: it would have to be kept in a ConfigMap"
        hint = "let the hook use a Secret that is a member of the app or of another one"
        where = one.origin.where(obj=one.ref.short)
        yield Problem(message=message, where=where, hint=hint, code=UNKEPT_AT_REMOVAL)


def _edge_problems(
    one: Placed, key: ObjectKey, by_key: Mapping[ObjectKey, Placed], cluster: str
) -> Iterator[Problem]:
    other = by_key.get(key)
    name = f"{key.kind} {key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"
    if other is None:
        hint = f"{DEPENDS_ON} names an object of this app, or of an app that this one depends on"
        yield one.problem(f"depends on {name}, which Git does not hold", hint, DEPENDS_ON_NOTHING, cluster)
    elif other.app != one.app:
        if other.app not in one.depends_on:
            message = f"depends on {name} of app `{other.app}`, which app `{one.app}` does not depend on"
            yield one.problem(message, f"add `dependsOn: [{other.app}]`", DEPENDS_ON_NOTHING, cluster)
    elif _turn(other) > _turn(one):
        message = f"depends on {name}, which comes later ({_told(other)}; this one: {_told(one)})"
        hint = "give them the same wave, or the dependency an earlier one"
        yield one.problem(message, hint, DEPENDS_ON_LATER, cluster)


def _turn(one: Placed) -> tuple[int, int]:
    """When an object's first turn comes: phase, then wave. Members are written in the Sync phase."""
    phases = one.ordering.phases or (Phase.SYNC,)
    return min(IN_TURN.index(phase) for phase in phases), one.ordering.wave


def _told(one: Placed) -> str:
    phase, wave = _turn(one)
    return f"{IN_TURN[phase].value}, wave {wave}"


def _cycles(
    edges: Mapping[ObjectKey, Sequence[ObjectKey]], by_key: Mapping[ObjectKey, Placed], cluster: str
) -> Iterator[Problem]:
    """The first cycle, at its first object."""
    try:
        TopologicalSorter({key: sorted(edges[key]) for key in sorted(edges)}).prepare()
    except CycleError as error:
        cycle: list[ObjectKey] = error.args[1][::-1]
        names = " -> ".join(f"{key.kind} {key.name}" for key in cycle)
        hint = f"take one {DEPENDS_ON} out"
        yield by_key[cycle[0]].problem(f"depends on itself: {names}", hint, DEPENDS_ON_LATER, cluster)
