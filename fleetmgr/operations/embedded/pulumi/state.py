"""What Pulumi's state holds beside what a cluster holds: objects by key, whatever version they are registered in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from fleetmgr.engine.registering import registered
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.resource import Resource, Stack
from fleetmgr.operations.embedded.pulumi.served import served_kinds
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.pulumi import StackState, StateResource

_CORE = "core"
_KUBERNETES = "kubernetes"


def held(state: StackState) -> dict[ObjectKey, StateResource]:
    """The objects that the state knows, by key. What is no Kubernetes object (providers, components) is left out."""
    found = ((_key(entry), entry) for entry in state.resources)
    return {key: entry for key, entry in found if key is not None}


def _key(entry: StateResource) -> ObjectKey | None:
    """Of ``kubernetes:apps/v1:Deployment`` with the id ``ns/name`` (pulumi-kubernetes ``util.go``, ``fqObjName``)."""
    package, _, rest = entry.type.partition(":")
    api_version, _, kind = rest.rpartition(":")
    group, _, version = api_version.rpartition("/")
    if package != _KUBERNETES or not kind or not version:
        return None
    namespace, _, name = (entry.id or entry.name).rpartition("/")
    return ObjectKey("" if group == _CORE else group, kind, namespace, name)


def urn_of(scene: Scene, resource: Resource) -> str:
    """The URN of a Resource in the stack of this entry."""
    return resource.urn(project=scene.entry.fleet, stack=scene.entry.cluster)


def stack_of(scene: Scene, sent: Iterable[Resource], known: Mapping[ObjectKey, StateResource]) -> Stack:
    """The Stack to register: what is sent, and what that depends on where the state holds it.

    What is left out keeps its place in the state, because a run only looks at its targets: so the cost is that of
    what changes. What is neither sent nor known is on its way in another run, or is the cluster's own: an option that
    names it would be an error.
    """
    going = {r.ref.key: r for r in sent}
    everything = tuple({**scene.resources, **going}.values())
    whole = registered(
        replace(scene.stack, resources=everything, hooks=(), warnings=()), served_kinds(scene.discovery)
    )
    desired = {(r.type, r.name): r for r in whole.resources}
    chosen = {identity: r for identity, r in desired.items() if r.ref.key in going}
    todo = list(chosen.values())
    while todo:
        options = todo.pop().options
        owner = () if options.deleted_with is None else (options.deleted_with,)
        for identity in (*options.depends_on, *owner):
            found = desired.get(identity)
            if identity not in chosen and found is not None and found.ref.key in known:
                chosen[identity] = found
                todo.append(found)
    resources = tuple(_within(chosen[identity], chosen) for identity in desired if identity in chosen)
    return replace(whole, resources=resources)


def _within(resource: Resource, chosen: Mapping[tuple[str, str], Resource]) -> Resource:
    """Its options name nothing that is not registered; fields that others hold are not in the inputs already."""
    options = resource.options
    owner = options.deleted_with if options.deleted_with in chosen else None
    depends_on = tuple(identity for identity in options.depends_on if identity in chosen)
    return replace(
        resource, options=replace(options, depends_on=depends_on, deleted_with=owner, ignore_changes=())
    )
