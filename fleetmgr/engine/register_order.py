"""The order of ``engine.order`` as dependencies between the Resources of a Stack.

Pulumi writes a resource once what it depends on is written, and deletes it before. Inside an app the last object of
each stage is a gate: it depends on the others of its stage, the next stage depends on it. That is one edge an object
and one more a gate, and no resource of its own; a dependency on a component would cost the square of its children.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.engine.order import stages, steps
from fleetmgr.model.objects import GroupKind, ObjectKey, ObjectRef
from fleetmgr.model.ordering import ordering_of
from fleetmgr.model.resource import Resource, Stack

_FIRST = (GroupKind("", "Namespace"), GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"))
"""These of all apps come before everything else of any."""
_Named = tuple[str, str]


def in_order(stack: Stack) -> list[Resource]:
    """The Resources, what others depend on first."""
    ordered = [resource for app in _by_app(stack) for stage in app for resource in stage]
    return sorted(ordered, key=lambda resource: not _goes_first(resource))


def _goes_first(resource: Resource) -> bool:
    return resource.ref.key.group_kind in _FIRST


def dependencies(stack: Stack) -> dict[ObjectKey, tuple[_Named, ...]]:
    """What each object comes after: the gate of the stage before it, and at its app's
    beginning the ends of the apps that it depends on."""
    edges: dict[ObjectKey, tuple[_Named, ...]] = {}
    ends: dict[str, tuple[_Named, ...]] = {}
    for app, turns in zip(stack.apps, _by_app(stack), strict=True):
        before = tuple(dict.fromkeys(end for name in app.depends_on for end in ends.get(name, ())))
        own: tuple[_Named, ...] = ()
        for stage in turns:
            first = _goes_first(stage[0])
            earlier = own if first else (*own, *before)
            before = before if first else ()
            gate = stage[-1]
            for resource in stage[:-1]:
                edges[resource.ref.key] = earlier
            edges[gate.ref.key] = (*earlier, *((r.type, r.name) for r in stage[:-1]))
            own = ((gate.type, gate.name),)
        ends[app.name] = (*own, *before)
    return edges


def _by_app(stack: Stack) -> list[list[list[Resource]]]:
    """By app: the stages in which its objects are written."""
    by_app: dict[str, list[Resource]] = {app.name: [] for app in stack.apps}
    for resource in stack.resources:
        by_app[resource.app].append(resource)
    return [_stages_of(members) for members in by_app.values()]


def _stages_of(members: Sequence[Resource]) -> list[list[Resource]]:
    by_key = {r.ref.key: r for r in members}
    first = [r.ref for r in members if _goes_first(r)]
    rest = [(r.ref, ordering_of(r.inputs)) for r in members if not _goes_first(r)]
    turns: list[list[ObjectRef]] = [
        *stages(first),
        *(stage for step in steps(rest) for stage in stages(step)),
    ]
    return [[by_key[ref.key] for ref in stage] for stage in turns]
