"""The inventory and memory of one app on one cluster entry: its ApplySet parent, as an object to apply and
as what was read back. The marker ConfigMap says which entry a cluster is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import orjson
from msgspec import Struct

from fleetmgr.engine.record import Record, read_record, record_data
from fleetmgr.model.applyset import (
    APP_LABEL,
    CLUSTER_LABEL,
    CONTAINS_ANNOTATION,
    FENCE_ANNOTATION,
    FLEET_LABEL,
    ID_LABEL,
    NAMESPACES_ANNOTATION,
    RECORD_LABEL,
    SYSTEM_NAMESPACE,
    TOOLING_ANNOTATION,
    app_id,
    marker_name,
    parent_name,
)
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind, ObjectKey

TOOLING = "fleetmgr/v1"


class Parent(Struct, frozen=True, kw_only=True):
    """An ApplySet parent as read from the cluster."""

    app: str
    group_kinds: frozenset[GroupKind]
    namespaces: frozenset[str]
    record: Record | None
    fence: int = 0
    """Token of the lease under which it was written last (engine.lease); 0 = without one."""
    version: str = ""
    """resourceVersion."""


def key_text(key: ObjectKey) -> str:
    """``Deployment.apps/ns/name``."""
    return f"{key.group_kind}/{key.namespace}/{key.name}"


def body_digest(body: JsonObject) -> str:
    """16 hex digits over the canonical JSON of a desired object."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def parse_group_kinds(text: str) -> frozenset[GroupKind]:
    """``Deployment.apps,Service`` as KEP-3659 writes it."""
    kinds: set[GroupKind] = set()
    for item in filter(None, (part.strip() for part in text.split(","))):
        kind, _, group = item.partition(".")
        kinds.add(GroupKind(group, kind))
    return frozenset(kinds)


def read_parent(body: JsonObject) -> Parent:
    """Read a parent; an unreadable record counts as none (the inventory itself is in the annotations)."""
    labels = object_at(body, "metadata", "labels")
    annotations = object_at(body, "metadata", "annotations")
    namespaces = str(annotations.get(NAMESPACES_ANNOTATION) or "")
    return Parent(
        app=str(labels.get(APP_LABEL, "")),
        group_kinds=parse_group_kinds(str(annotations.get(CONTAINS_ANNOTATION) or "")),
        namespaces=frozenset(filter(None, namespaces.split(","))),
        record=read_record(body),
        fence=fence_of(body),
        version=str(object_at(body, "metadata").get("resourceVersion") or ""),
    )


def fence_of(body: JsonObject) -> int:
    """The token in a parent; 0 where there is none."""
    text = str(object_at(body, "metadata", "annotations").get(FENCE_ANNOTATION) or "")
    return int(text) if text.isdecimal() else 0


def parent_body(
    *,
    fleet: str,
    cluster: str,
    app: str,
    keys: Iterable[ObjectKey],
    before: Parent | None = None,
    record: Record | None,
) -> JsonObject:
    """The parent to apply: holds the kinds and namespaces of ``keys`` and also those of ``before`` (which may
    still have members: the parent is widened before members are written and narrowed after they are gone)."""
    members = tuple(keys)
    known_kinds, known_namespaces = (before.group_kinds, before.namespaces) if before else ((), ())
    group_kinds = sorted(str(k) for k in {*(k.group_kind for k in members), *known_kinds})
    namespaces = sorted({*(k.namespace for k in members), *known_namespaces} - {"", SYSTEM_NAMESPACE})
    name = parent_name(fleet, cluster, app)
    body: JsonObject = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": SYSTEM_NAMESPACE,
            "labels": {
                ID_LABEL: app_id(fleet, cluster, app),
                FLEET_LABEL: fleet,
                CLUSTER_LABEL: cluster,
                APP_LABEL: app,
                RECORD_LABEL: "applyset",
            },
            "annotations": {
                TOOLING_ANNOTATION: TOOLING,
                CONTAINS_ANNOTATION: ",".join(group_kinds),
                NAMESPACES_ANNOTATION: ",".join(namespaces),
            },
        },
    }
    if record is not None:
        body |= record_data(record)
    return body


def marker_body(*, fleet: str, cluster: str, since: str) -> JsonObject:
    """The marker of an entry; ``since`` is RFC 3339."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": marker_name(fleet, cluster),
            "namespace": SYSTEM_NAMESPACE,
            "labels": {FLEET_LABEL: fleet, CLUSTER_LABEL: cluster, RECORD_LABEL: "marker"},
        },
        "data": {"fleet": fleet, "cluster": cluster, "since": since},
    }
