"""What must be ready before other objects of the same plan are written: webhooks that are to see them, and the
APIService that serves their kind. Inside of an app and across the apps of a cluster entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from fleetmgr.engine.admission import admits, is_built_in, is_webhook_configuration
from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.model.objects import GroupKind, ObjectKey, ObjectRef
from fleetmgr.model.resource import Resource
from fleetmgr.model.webhooks import services_of

API_SERVICE = GroupKind("apiregistration.k8s.io", "APIService")
_FIRST = frozenset({"Namespace", "CustomResourceDefinition"})
PluralOf = Callable[[ObjectRef], str]
Awaited = Mapping[ObjectKey, tuple[ObjectKey, ...]]
"""Objects, each with what is to be ready before it."""


def provided_in_app(resources: Sequence[Resource], plural_of: PluralOf) -> Awaited:
    """Of objects of one app that are written now: what waits for which of them."""
    providers = _providers(resources)
    if not providers:
        return {}
    found: dict[ObjectKey, tuple[ObjectKey, ...]] = {}
    for resource in resources:
        keys = tuple(
            p.ref.key
            for p in providers
            if not _runs_on(p, resource) and _waits(resource, p, plural_of(resource.ref))
        )
        if keys:
            found[resource.ref.key] = keys
    return found


def provided_across(
    written: Sequence[Resource],
    desired: Iterable[Resource],
    depends_on: Mapping[str, Iterable[str]],
    plural_of: PluralOf,
) -> Awaited:
    """Of objects that are ``written`` now: what waits for objects of which other apps.

    ``desired`` is everything of the entry. What an app depends on, and the app of the Service behind a webhook, never
    wait for it: nothing ever waits in a circle.
    """
    providers = _providers(written)
    if not providers:
        return {}
    after = {app: set(names) for app, names in depends_on.items()}
    behind = {(r.ref.namespace, r.ref.name): r.app for r in desired if r.ref.kind == "Service"}
    for provider in providers:
        apps = {behind[service] for service in _services(provider.inputs) if service in behind}
        after.setdefault(provider.app, set()).update(apps - {provider.app})
    found: dict[ObjectKey, list[ObjectKey]] = {}
    for provider in providers:
        before = _reached(after, provider.app)
        for resource in written:
            if resource.app in before or not _waits(resource, provider, plural_of(resource.ref)):
                continue
            found.setdefault(resource.ref.key, []).append(provider.ref.key)
            after.setdefault(resource.app, set()).add(provider.app)
    return {key: tuple(keys) for key, keys in found.items()}


def _providers(resources: Iterable[Resource]) -> list[Resource]:
    return [r for r in resources if is_webhook_configuration(r.ref) or r.ref.key.group_kind == API_SERVICE]


def _waits(resource: Resource, provider: Resource, plural: str) -> bool:
    if resource.ref.kind in _FIRST:
        return False
    if provider.ref.key.group_kind == API_SERVICE:
        spec = object_at(provider.inputs, "spec")
        return (spec.get("group"), spec.get("version")) == resource.ref[:2]
    return admits(provider.inputs, resource, plural)


def _runs_on(provider: Resource, resource: Resource) -> bool:
    """Whether what is behind a provider may need a built-in object without a namespace (its ClusterRole)."""
    return not resource.ref.namespace and is_built_in(resource.ref) and bool(_services(provider.inputs))


def _services(body: JsonObject) -> tuple[tuple[str, str], ...]:
    service = object_at(body, "spec", "service")
    if service:
        return ((str(service.get("namespace")), str(child(service, "name"))),)
    return services_of(body)


def _reached(after: Mapping[str, set[str]], app: str) -> frozenset[str]:
    """The app, and all that come before it."""
    todo, seen = [app], {app}
    while todo:
        for name in after.get(todo.pop(), set()) - seen:
            seen.add(name)
            todo.append(name)
    return frozenset(seen)
