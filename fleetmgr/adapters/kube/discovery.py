"""What a cluster serves: aggregated discovery in two requests, or the per-group walk on servers before 1.26.

Formats: k8s.io/api/apidiscovery (v2, v2beta1: the fields that we read are the same), and APIGroupList with
APIResourceList for the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from fleetmgr.model.jsontypes import Json, JsonObject, array_at, is_object, object_at
from fleetmgr.model.objects import GroupKind, split_api_version
from fleetmgr.ports.cluster import ApiResource, Discovery
from fleetmgr.ports.cluster_errors import AccessDenied, AuthFailed, ClusterError

_AGGREGATED = "APIGroupDiscoveryList"
ACCEPT = ",".join(
    [f"application/json;g=apidiscovery.k8s.io;v={version};as={_AGGREGATED}" for version in ("v2", "v2beta1")]
    + ["application/json"]
)
Fetch = Callable[[str], JsonObject]
"""GET of a path, asking for ``ACCEPT``; raises ClusterError."""


class _Found(Struct):
    """What has been seen so far; the first version in which a kind is seen is its preferred one."""

    resources: dict[tuple[str, str, str], ApiResource] = field(
        default_factory=dict[tuple[str, str, str], ApiResource]
    )
    preferred: dict[GroupKind, ApiResource] = field(default_factory=dict[GroupKind, ApiResource])
    incomplete: set[str] = field(default_factory=set[str])

    def add(self, resource: ApiResource) -> None:
        self.resources.setdefault((resource.group, resource.version, resource.kind), resource)
        self.preferred.setdefault(resource.group_kind, resource)


def discover(fetch: Fetch) -> Discovery:
    """Everything served. A group that cannot be read is ``incomplete``; raises when none can be."""
    found = _Found()
    for root in ("/api", "/apis"):
        document = fetch(root)
        if document.get("kind") == _AGGREGATED:
            _read_aggregated(document, found)
        elif root == "/api":
            for version in array_at(document, "versions"):
                _read_version("", str(version), fetch, found)
        else:
            _walk_groups(document, fetch, found)
    return Discovery(
        resources=found.resources, preferred=found.preferred, incomplete=tuple(sorted(found.incomplete))
    )


def _read_aggregated(document: JsonObject, found: _Found) -> None:
    for group in _objects(array_at(document, "items")):
        name = str(object_at(group, "metadata").get("name") or "")
        for version in _objects(array_at(group, "versions")):
            if version.get("freshness") == "Stale":
                found.incomplete.add(name)
            for item in _objects(array_at(version, "resources")):
                resource = _aggregated_resource(name, str(version.get("version")), item)
                if resource is not None:
                    found.add(resource)


def _aggregated_resource(group: str, version: str, item: JsonObject) -> ApiResource | None:
    kind = object_at(item, "responseKind").get("kind")
    plural = item.get("resource")
    if not isinstance(kind, str) or not kind or not isinstance(plural, str):
        return None
    return ApiResource(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        namespaced=item.get("scope") == "Namespaced",
        verbs=_verbs(item),
    )


def _walk_groups(document: JsonObject, fetch: Fetch, found: _Found) -> None:
    for group in _objects(array_at(document, "groups")):
        name = str(group.get("name") or "")
        first = str(object_at(group, "preferredVersion").get("version") or "")
        listed = [str(version.get("version")) for version in _objects(array_at(group, "versions"))]
        for version in dict.fromkeys([first, *listed] if first else listed):
            _read_version(name, version, fetch, found)


def _read_version(group: str, version: str, fetch: Fetch, found: _Found) -> None:
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"
    try:
        document = fetch(path)
    except (AuthFailed, AccessDenied):
        raise
    except ClusterError:
        found.incomplete.add(group)
        return
    for item in _objects(array_at(document, "resources")):
        plural, kind = item.get("name"), item.get("kind")
        if isinstance(plural, str) and isinstance(kind, str) and "/" not in plural:
            owner = split_api_version(f"{group}/{version}" if group else version)
            resource = ApiResource(
                group=owner[0],
                version=owner[1],
                kind=kind,
                plural=plural,
                namespaced=item.get("namespaced") is True,
                verbs=_verbs(item),
            )
            found.add(resource)


def _verbs(item: JsonObject) -> tuple[str, ...]:
    return tuple(str(verb) for verb in array_at(item, "verbs"))


def _objects(items: Iterable[Json]) -> list[JsonObject]:
    return [item for item in items if is_object(item)]
