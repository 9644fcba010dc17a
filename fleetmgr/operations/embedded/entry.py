"""Who we are on a cluster, and whether this is the cluster that we mean."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from fleetmgr.engine.inventory import Parent, read_parent
from fleetmgr.errors import Refused, Where
from fleetmgr.health.custom import NONE, CustomRules
from fleetmgr.model.applyset import (
    CLUSTER_LABEL,
    FLEET_LABEL,
    RECORD_LABEL,
    SYSTEM_NAMESPACE,
    app_id,
)
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.resource import field_manager
from fleetmgr.ports.cluster import ApiResource, ClusterClient
from fleetmgr.ports.cluster_errors import AccessDenied

NAMESPACES = ApiResource(group="", version="v1", kind="Namespace", plural="namespaces", namespaced=False)
CONFIG_MAPS = ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True)
SECRETS = ApiResource(group="", version="v1", kind="Secret", plural="secrets", namespaced=True)


class WrongCluster(Refused):
    """The context leads to another cluster than this entry's."""

    code: ClassVar[str] = "FLT-5001"


class Entry(Struct, frozen=True, kw_only=True):
    """A cluster entry as the engine needs it. ``shares_with`` are entries of the fleet that use the very same
    access, so that one API server for them is meant."""

    fleet: str
    cluster: str
    environment: str
    identity: str | None = None
    shares_with: frozenset[str] = frozenset()
    where: Where | None = None
    health: CustomRules = NONE
    """The fleet's own health rules."""

    @property
    def manager(self) -> str:
        """Our field manager."""
        return field_manager(self.fleet)


class Contact(Struct, frozen=True, kw_only=True):
    """What the cluster itself remembers of this entry. ``parents`` by app; ``first`` = no marker yet."""

    first: bool
    parents: dict[str, Parent]
    ids: dict[str, str]
    """part-of id -> app, for every app with a parent."""
    uid: str = ""
    """kube-system's, read at first contact only; "" when it was not read or may not be."""


def meet(client: ClusterClient, entry: Entry) -> Contact:
    """Check the identity and read the inventory's parents.

    Raises WrongCluster (exit 5) before anything else is read, and ClusterError.
    """
    if entry.identity:
        _check_identity(client, entry)
    records = _records(client, entry)
    markers: dict[str, str] = {}
    parents: dict[str, Parent] = {}
    for body in records:
        labels = object_at(body, "metadata", "labels")
        name = str(labels.get(CLUSTER_LABEL, ""))
        if labels.get(RECORD_LABEL) == "marker":
            markers[name] = str(object_at(body, "data").get("since", ""))
        elif labels.get(RECORD_LABEL) == "applyset" and name == entry.cluster:
            parent = read_parent(body)
            parents[parent.app] = parent
    _check_markers(client, entry, markers)
    first = entry.cluster not in markers
    return Contact(
        first=first,
        parents=parents,
        ids={app_id(entry.fleet, entry.cluster, app): app for app in parents},
        uid=_readable_uid(client) if first else "",
    )


def _records(client: ClusterClient, entry: Entry) -> tuple[JsonObject, ...]:
    """The markers of the fleet and what is remembered of this entry. Where others share the API server, their
    memories are left where they are."""
    fleet = f"{FLEET_LABEL}={entry.fleet}"
    if not entry.shares_with:
        return client.list(CONFIG_MAPS, namespace=SYSTEM_NAMESPACE, selector=fleet)
    markers = f"{fleet},{RECORD_LABEL}=marker"
    ours = f"{fleet},{RECORD_LABEL}=applyset,{CLUSTER_LABEL}={entry.cluster}"
    return (
        *client.list(CONFIG_MAPS, namespace=SYSTEM_NAMESPACE, selector=markers),
        *client.list(CONFIG_MAPS, namespace=SYSTEM_NAMESPACE, selector=ours),
    )


def delete_kept(client: ClusterClient, resource: ApiResource, name: str) -> None:
    """Delete something that we keep in our namespace, if it is there: the very object that is. Raises ClusterError."""
    live = client.get(resource, namespace=SYSTEM_NAMESPACE, name=name)
    if live is not None:
        uid = str(object_at(live, "metadata")["uid"])
        client.delete(resource, namespace=SYSTEM_NAMESPACE, name=name, uid=uid)


def _uid(client: ClusterClient) -> str:
    body = client.get(NAMESPACES, namespace="", name="kube-system")
    return str(object_at(body or {}, "metadata").get("uid", ""))


def _readable_uid(client: ClusterClient) -> str:
    try:
        return _uid(client)
    except AccessDenied:
        return ""


def _check_identity(client: ClusterClient, entry: Entry) -> None:
    uid = _uid(client)
    if uid != entry.identity:
        raise WrongCluster(
            f"{client.server} is not the cluster of entry {entry.cluster}: its kube-system UID is "
            f"{uid or 'unreadable'}, fleet.yaml says {entry.identity}",
            where=Where(cluster=entry.cluster, field="identity"),
            hint="check the context of this entry; if the cluster was rebuilt, update clusters[].identity",
        )


def _check_markers(client: ClusterClient, entry: Entry, markers: dict[str, str]) -> None:
    """Only other entries' markers: this is their cluster, unless sharing is spelled out."""
    if not markers or entry.cluster in markers or entry.identity or entry.shares_with & markers.keys():
        return
    others = ", ".join(sorted(markers))
    raise WrongCluster(
        f"{client.server} is the cluster of entry {others} (marked since {min(markers.values())}), "
        f"not of {entry.cluster}",
        where=Where(cluster=entry.cluster, field="access"),
        hint="check the context of this entry; if both are meant to share this API server, give them the same "
        "access, or pin `identity` to its kube-system UID",
    )
