"""Reading live state: one LIST per kind finds what is ours, what is desired beside it is fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind, ObjectKey, ObjectRef, ref_of
from fleetmgr.ports.cluster import ApiResource, ClusterClient, Discovery
from fleetmgr.ports.cluster_errors import AccessDenied, ObjectGone, Unreachable

REQUESTS = 6
"""Requests at a time to one cluster; below the client's pool size."""
_LIST_FROM = 4
"""So many unlabelled objects of one kind and namespace are fetched by one LIST instead of single GETs."""

In = TypeVar("In")
Out = TypeVar("Out")


def in_parallel(work: Callable[[In], Out], items: Sequence[In]) -> list[Out]:
    """``work`` on each item, a few at a time, results in order; the first exception is raised."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(REQUESTS, len(items))) as pool:
        return list(pool.map(work, items))


def read_live(
    client: ClusterClient,
    discovery: Discovery,
    *,
    selector: str,
    wanted: Sequence[ObjectRef],
    members: Iterable[GroupKind],
    namespaces: Iterable[str],
) -> dict[ObjectKey, JsonObject]:
    """Every object that ``selector`` names (labels of the inventory), of the wanted and the inventory's kinds, and
    every wanted object whoever made it, each in the version it is wanted in.

    ``namespaces`` are read one by one where a cluster-wide LIST is not allowed. Raises ClusterError; a kind of
    the inventory that cannot be looked up makes the cluster unreadable, never empty.
    """
    kinds = _kinds(client, discovery, wanted, members)
    scope = sorted({*namespaces, *(ref.namespace for ref in wanted if ref.namespace)})

    def labelled(resource: ApiResource) -> list[JsonObject]:
        return _list_labelled(client, resource, selector, scope)

    versions = {ref.key: ref.api_version for ref in wanted}
    live: dict[ObjectKey, JsonObject] = {}
    for bodies in in_parallel(labelled, kinds):
        for body in bodies:
            key = ref_of(body).key
            if versions.get(key, body.get("apiVersion")) == body.get("apiVersion"):
                live[key] = body
    missing = [ref for ref in wanted if ref.key not in live]
    live.update(_read_unlabelled(client, discovery, missing))
    return live


def _kinds(
    client: ClusterClient, discovery: Discovery, wanted: Sequence[ObjectRef], members: Iterable[GroupKind]
) -> list[ApiResource]:
    found: dict[tuple[str, str, str], ApiResource] = {}
    covered: set[GroupKind] = set()
    for group, version, kind in sorted({ref[:3] for ref in wanted}):
        resource = discovery.find(group, version, kind)
        if resource is not None:
            found[group, version, kind] = resource
            covered.add(resource.group_kind)
    for kind_of_member in sorted(set(members) - covered):
        resource = _member_kind(client, discovery, kind_of_member)
        if resource is not None:
            found[resource.group, resource.version, resource.kind] = resource
    return list(found.values())


def _member_kind(client: ClusterClient, discovery: Discovery, kind: GroupKind) -> ApiResource | None:
    """The preferred version of a kind of the inventory. Not served any more, after complete and fresh discovery,
    means no members; partial discovery means unreadable."""
    resource = discovery.preferred.get(kind)
    if resource is None:
        fresh = client.discover(fresh=True)
        resource = fresh.preferred.get(kind)
        if resource is None and fresh.unreadable(kind.group):
            raise Unreachable(
                f"the API group {kind.group} cannot be read, and the inventory holds objects of kind {kind}",
                cluster=client.cluster,
                hint="check the APIService of this group; nothing is judged or pruned until it answers",
            )
    return resource


def _list_labelled(
    client: ClusterClient, resource: ApiResource, selector: str, namespaces: Sequence[str]
) -> list[JsonObject]:
    try:
        return list(client.list(resource, selector=selector))
    except ObjectGone:
        return []
    except AccessDenied:
        if not resource.namespaced or not namespaces:
            raise
    bodies: list[JsonObject] = []
    for namespace in namespaces:
        bodies += client.list(resource, namespace=namespace, selector=selector)
    return bodies


def _read_unlabelled(
    client: ClusterClient, discovery: Discovery, refs: Sequence[ObjectRef]
) -> dict[ObjectKey, JsonObject]:
    groups: dict[tuple[str, str, str, str], list[ObjectRef]] = defaultdict(list)
    for ref in refs:
        groups[ref[:4]].append(ref)

    def read(group: list[ObjectRef]) -> dict[ObjectKey, JsonObject]:
        first = group[0]
        resource = discovery.find(first.group, first.version, first.kind)
        if resource is None:
            return {}
        keys = {ref.key for ref in group}
        if len(group) >= _LIST_FROM and "list" in (resource.verbs or ("list",)):
            bodies: Iterable[JsonObject | None] = _try_list(client, resource, first.namespace, group)
        else:
            bodies = [client.get(resource, namespace=ref.namespace, name=ref.name) for ref in group]
        return {ref_of(body).key: body for body in bodies if body is not None and ref_of(body).key in keys}

    found: dict[ObjectKey, JsonObject] = {}
    for part in in_parallel(read, list(groups.values())):
        found.update(part)
    return found


def _try_list(
    client: ClusterClient, resource: ApiResource, namespace: str, group: Sequence[ObjectRef]
) -> Iterable[JsonObject | None]:
    try:
        return client.list(resource, namespace=namespace)
    except AccessDenied:
        return [client.get(resource, namespace=ref.namespace, name=ref.name) for ref in group]
