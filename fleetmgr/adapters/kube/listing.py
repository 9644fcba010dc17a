"""Consistent lists, page by page. A page that fails fails the list: half a list would prune the other half."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.adapters.kube.bodies import list_in
from fleetmgr.adapters.kube.calls import Call, Query, collection_path, plural_of
from fleetmgr.adapters.kube.transport import ResponseTooLarge, Transport
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ApiRejected, Unreachable
from fleetmgr.veiled import Veiled

_EXPIRED = 410
_SMALL_PAGE = 50
"""Objects have at most about 1.5 MiB (etcd's request limit), so a page of these is below every size limit."""


class Listed(Veiled, frozen=True, kw_only=True):
    """Every object, and the resourceVersion from which a watch goes on."""

    VEILED = frozenset({"items"})

    items: tuple[JsonObject, ...]
    resource_version: str


def list_call(resource: ApiResource, namespace: str, query: Query, *, verb: str = "list") -> Call:
    """A LIST or WATCH of a kind in one namespace, or ("") everywhere."""
    place = f"in namespace {namespace}" if namespace else "in all namespaces" if resource.namespaced else ""
    return Call(
        method="GET",
        path=collection_path(resource, namespace),
        verb=verb,
        subject=f"{plural_of(resource)} {place}".rstrip(),
        query=query,
        resource=resource,
        namespace=namespace,
    )


def list_pages(
    transport: Transport, resource: ApiResource, *, namespace: str, query: Query, page_size: int
) -> Listed:
    """Every object, from the newest state (never resourceVersion=0). Raises ClusterError.

    When the snapshot expires between two pages (410), the whole list is read once more in one piece; when a page is
    too large, in small pages.
    """
    call = list_call(resource, namespace, query)
    try:
        return _walk(transport, call, page_size)
    except ApiRejected as error:
        if error.status != _EXPIRED:
            raise
    except ResponseTooLarge:
        return _walk(transport, call, _SMALL_PAGE)
    return _walk(transport, call, 0)


def _walk(transport: Transport, call: Call, page_size: int) -> Listed:
    resource = call.resource
    items: list[JsonObject] = []
    token = ""
    seen: set[str] = set()
    while True:
        limit: Query = (("limit", str(page_size)),) if page_size else ()
        onward: Query = (("continue", token),) if token else ()
        page = replace(call, query=(*call.query, *limit, *onward))
        metadata, found = list_in(transport.send(page), page, transport.cluster)
        items += found
        token = str(metadata.get("continue") or "")
        if not token:
            break
        if token in seen:
            raise Unreachable(
                f"cannot list {call.subject} on {transport.cluster}: the server repeats a page",
                cluster=transport.cluster,
            )
        seen.add(token)
    if resource is not None:
        _name_kind(items, resource)
    return Listed(items=tuple(items), resource_version=str(metadata.get("resourceVersion") or ""))


def _name_kind(items: list[JsonObject], resource: ApiResource) -> None:
    """Items of built-in lists come without apiVersion and kind."""
    api_version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    for item in items:
        item.setdefault("apiVersion", api_version)
        item.setdefault("kind", resource.kind)
