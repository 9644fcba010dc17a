"""A Stack as it is registered with the Pulumi engine: identity, order and every option of each Resource.

What a policy keeps when it leaves Git must be kept by a plain ``pulumi up`` too, which deletes whatever is not
registered any more: by the options that the state holds, so they are set as long as the object is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.engine.autoscaling import AUTOSCALERS, REPLICAS, autoscaler_of
from fleetmgr.engine.ignored import Ignored, ignored
from fleetmgr.engine.keeping import keeps_by_annotation
from fleetmgr.engine.property_paths import left_alone
from fleetmgr.engine.protection import protection
from fleetmgr.engine.register_order import dependencies, in_order
from fleetmgr.engine.scoping import without_namespace
from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.policy import OnConflict, OnRemove, Policy, Prune
from fleetmgr.model.resource import Resource, Stack, StackApp
from fleetmgr.model.served import Served
from fleetmgr.model.urn import type_token

ONE_OBJECT_TWICE = "FLT-1355"
BEYOND_PULUMI = "FLT-1356"

_NOTHING_SERVED: Served = {}
_DEFINITION = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
_Named = tuple[str, str]


class Keeping(Struct, frozen=True, kw_only=True):
    """What becomes of an object that plain Pulumi would delete: ``retained`` stays and is forgotten, ``protected``
    fails the run until somebody has taken the protection off."""

    retained: bool = False
    protected: bool = False


def registered(stack: Stack, served: Served = _NOTHING_SERVED) -> Stack:
    """``stack`` with its Resources in an order in which they can be registered, all options set.

    ``served`` are the kinds of the cluster, as far as it has been read: versions become aliases, scopes are put
    right. Raises InvalidInput where one object would be registered twice.
    """
    stack = replace(stack, resources=tuple(_in_scope(resource, served) for resource in stack.resources))
    _refuse_twice(stack.resources, stack.cluster)
    work = _Registering(stack, served)
    resources = tuple(work.finished(resource) for resource in in_order(stack))
    _refuse_twice(resources, stack.cluster)
    return replace(stack, resources=resources)


def beyond_pulumi(stack: Stack) -> tuple[Problem, ...]:
    """What the policies of ``stack`` ask for that a plain ``pulumi up`` cannot obey, because it does not look at the
    cluster as we do: such a run must be refused."""
    policies = {app.name: app.policy for app in stack.apps}
    problems: list[Problem] = []
    for app in stack.apps:
        if app.policy.on_conflict is not OnConflict.TAKE:
            message = (
                f"onConflict of app `{app.name}` is {app.policy.on_conflict.value}: Pulumi takes every field"
            )
            problems.append(_beyond(message))
    for resource in stack.resources:
        _, beyond = left_alone(ignored(policies[resource.app].ignore, resource.ref), resource.inputs)
        where = resource.origin.where(obj=resource.ref.short, cluster=stack.cluster)
        for what in beyond:
            message = f"ignoreDifferences of app `{resource.app}`: Pulumi cannot leave {what} alone"
            problems.append(replace(_beyond(message), where=where))
    return tuple(dict.fromkeys(problems))


def _beyond(message: str) -> Problem:
    hint = "use `fleet apply --engine pulumi`, which looks at the cluster first"
    return Problem(message=message, hint=hint, code=BEYOND_PULUMI)


def _in_scope(resource: Resource, served: Served) -> Resource:
    kind = served.get(resource.ref.key.group_kind)
    if kind is None or kind.namespaced or not resource.ref.namespace:
        return resource
    return without_namespace(resource)


class _Registering:
    """What the options of one Resource need to know of the others."""

    def __init__(self, stack: Stack, served: Served) -> None:
        self._served = served
        self._edges = dependencies(stack)
        self._apps = {app.name: app for app in stack.apps}
        self._staying = {
            (r.type, r.name) for r in stack.resources if _kept(r, self._apps[r.app].policy).retained
        }
        self._defined = _defined_here(stack.resources)
        self._autoscalers = [r.inputs for r in stack.resources if r.ref.key.group_kind in AUTOSCALERS]

    def finished(self, resource: Resource) -> Resource:
        app, options = self._apps[resource.app], resource.options
        keeping = _kept(resource, app.policy)
        finished = replace(
            options,
            aliases=_aliases(resource, self._served),
            former_names=self._former_names(resource, app),
            depends_on=tuple(dict.fromkeys((*options.depends_on, *self._edges[resource.ref.key]))),
            # an object that goes with a namespace is not deleted by itself: that namespace must really go
            deleted_with=None if options.deleted_with in self._staying else options.deleted_with,
            protect=keeping.protected,
            retain_on_delete=keeping.retained,
            ignore_changes=_ignored_paths(resource, app.policy, self._autoscalers),
            timeout=app.timeout,
        )
        return replace(resource, options=finished)

    def _former_names(self, resource: Resource, app: StackApp) -> tuple[str, ...]:
        ref, names = resource.ref, resource.options.former_names
        if ref.namespace or ref.key.group_kind not in self._defined:
            return names
        # before its definition was in the fleet, it was taken for an object of its app's namespace
        return tuple(dict.fromkeys((*names, f"{app.namespace}/{ref.name}")))


def _kept(resource: Resource, policy: Policy) -> Keeping:
    """As the strictest of the rules for an object that leaves Git and for an app that does: which of them it will be
    is not known before."""
    never = policy.prune is Prune.NEVER or policy.on_remove is OnRemove.ORPHAN
    if never or keeps_by_annotation(resource.inputs):
        return Keeping(retained=True)
    confirm = policy.prune is Prune.CONFIRM or policy.on_remove is OnRemove.CONFIRM
    return Keeping(protected=confirm or protection(resource.inputs) is not None)


def _aliases(resource: Resource, served: Served) -> tuple[str, ...]:
    kind = served.get(resource.ref.key.group_kind)
    versions = kind.versions if kind else ()
    known = (type_token(resource.ref.group, version, resource.ref.kind) for version in versions)
    return tuple(
        token for token in dict.fromkeys((*resource.options.aliases, *known)) if token != resource.type
    )


def _ignored_paths(resource: Resource, policy: Policy, autoscalers: Sequence[JsonObject]) -> tuple[str, ...]:
    ignoring = ignored(policy.ignore, resource.ref) if policy.ignore else Ignored()
    if autoscalers and child(resource.inputs, "spec", "replicas") is not None:
        here = [
            body
            for body in autoscalers
            if object_at(body, "metadata").get("namespace") == resource.ref.namespace
        ]
        if autoscaler_of(resource.ref, here):
            ignoring = ignoring.and_at((REPLICAS,))
    return left_alone(ignoring, resource.inputs)[0] if ignoring else ()


def _defined_here(resources: Iterable[Resource]) -> set[GroupKind]:
    return {
        GroupKind(str(child(r.inputs, "spec", "group")), str(child(r.inputs, "spec", "names", "kind")))
        for r in resources
        if r.ref.key.group_kind == _DEFINITION
    }


def _refuse_twice(resources: Sequence[Resource], cluster: str) -> None:
    """Two URNs on one object, or one URN twice: the engine would write the object, then delete it."""
    owners: dict[object, Resource] = {}
    problems: list[Problem] = []
    for resource in resources:
        for identity in ((resource.type, resource.name), resource.ref.key):
            other = owners.setdefault(identity, resource)
            if other is not resource:
                problems.append(_same_object(resource, other, cluster))
    for resource in resources:
        for identity in resource.former_identities():
            other = owners.get(identity, resource)
            if other is not resource:
                problems.append(_same_object(resource, other, cluster))
    if problems:
        raise InvalidInput(tuple(dict.fromkeys(problems)))


def _same_object(one: Resource, other: Resource, cluster: str) -> Problem:
    return Problem(
        message=f"{one.ref} and {other.ref} (app `{other.app}`, {other.origin}) are one object on the cluster",
        where=one.origin.where(obj=one.ref.short, cluster=cluster),
        hint="an object has one owner: take it out of one place, or name it in that app's `exclude`",
        code=ONE_OBJECT_TWICE,
    )
