"""Which rights a plan and an apply of one cluster need, each with what it is for; ``fleet doctor`` asks for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from fleetmgr.engine.inventory import Parent
from fleetmgr.model.applyset import SYSTEM_NAMESPACE
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.resource import Stack
from fleetmgr.operations.embedded.entry import CONFIG_MAPS, NAMESPACES, SECRETS
from fleetmgr.operations.embedded.lease import LEASES
from fleetmgr.ports.cluster import AccessQuery, ApiResource, Discovery

READ = ("get", "list")
WRITE = ("create", "patch", "delete")
_HOLD = ("get", "create", "patch")
"""Server-side apply of an object that is not there yet asks for both ``create`` and ``patch``."""
_SECRET = GroupKind("", "Secret")


class Purpose(StrEnum):
    """What a right is for; also the name of doctor's check."""

    READ = "read"
    """Without it there is no plan."""
    WRITE = "write"
    """Without it an apply fails, and a plan shows changes unverified."""
    LOCK = "lock"
    """The lease; without it an apply goes on and warns."""
    WATCH = "watch"
    """Without it a wait asks again and again."""
    SECRETS = "secrets"
    """The key by which saved plans bind Secrets."""


class Right(Struct, frozen=True, kw_only=True):
    """One question to the cluster, and why it is asked."""

    purpose: Purpose
    query: AccessQuery


def rights_needed(
    stack: Stack, discovery: Discovery, parents: Iterable[Parent], absent: Collection[str]
) -> list[Right]:
    """Every right that a plan and an apply of ``stack`` need, each once.

    ``parents`` is the inventory: what is in it and no longer in Git must be found and deleted. ``absent`` are
    namespaces that an apply has to make.
    """
    found: dict[tuple[Purpose, str, str, str, str], Right] = {}
    for purpose, verbs, resource, namespace in _needs(stack, discovery, parents, absent):
        for verb in verbs:
            query = AccessQuery(
                verb=verb, group=resource.group, resource=resource.plural, namespace=namespace
            )
            found[purpose, verb, resource.group, resource.plural, namespace] = Right(
                purpose=purpose, query=query
            )
    return list(found.values())


_Need = tuple[Purpose, tuple[str, ...], ApiResource, str]


def _needs(
    stack: Stack, discovery: Discovery, parents: Iterable[Parent], absent: Collection[str]
) -> Iterator[_Need]:
    yield Purpose.READ, READ, CONFIG_MAPS, SYSTEM_NAMESPACE
    yield Purpose.WRITE, WRITE, CONFIG_MAPS, SYSTEM_NAMESPACE
    if absent:
        yield Purpose.WRITE, ("create", "patch"), NAMESPACES, ""
    for resource in stack.everything():
        served = discovery.find(*resource.ref[:3])
        if served is not None:
            namespace = resource.ref.namespace if served.namespaced else ""
            yield Purpose.READ, READ, served, namespace
            yield Purpose.WRITE, WRITE, served, namespace
            yield Purpose.WATCH, ("watch",), served, ""
    for parent in parents:
        for served, namespace in _inventoried(parent, discovery):
            yield Purpose.READ, ("list",), served, namespace
            yield Purpose.WRITE, ("delete",), served, namespace
    yield Purpose.LOCK, _HOLD, LEASES, SYSTEM_NAMESPACE
    if any(r.ref.key.group_kind == _SECRET for r in stack.everything()):
        yield Purpose.SECRETS, _HOLD, SECRETS, SYSTEM_NAMESPACE


def _inventoried(parent: Parent, discovery: Discovery) -> Iterator[tuple[ApiResource, str]]:
    for kind in sorted(parent.group_kinds):
        served = discovery.preferred.get(kind)
        if served is not None:
            for namespace in sorted(parent.namespaces) if served.namespaced else [""]:
                yield served, namespace


def in_words(queries: Iterable[AccessQuery]) -> str:
    """``patch/delete deployments.apps in shop-web; list nodes``."""
    parts: dict[tuple[str, str], list[str]] = {}
    for q in queries:
        name = f"{q.resource}.{q.group}" if q.group else q.resource
        parts.setdefault((name, q.namespace), []).append(q.verb)
    return "; ".join(
        f"{'/'.join(verbs)} {name}{f' in {ns}' if ns else ''}" for (name, ns), verbs in parts.items()
    )


def as_rules(queries: Iterable[AccessQuery]) -> list[str]:
    """The rules that are missing, a line each, as a Role in one namespace or a ClusterRole takes them."""
    verbs: dict[tuple[str, str, str], list[str]] = {}
    for q in queries:
        verbs.setdefault((q.namespace, q.group, q.resource), []).append(q.verb)
    resources: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (namespace, group, resource), said in verbs.items():
        resources.setdefault((namespace, group, tuple(said)), []).append(resource)
    return [
        f"{f'Role in {namespace}' if namespace else 'ClusterRole'}: "
        f'- {{apiGroups: ["{group}"], resources: [{", ".join(names)}], verbs: [{", ".join(said)}]}}'
        for (namespace, group, said), names in sorted(resources.items())
    ]
