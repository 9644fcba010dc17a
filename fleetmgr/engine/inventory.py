"""The inventory and memory of one app on one cluster entry: its ApplySet parent, as an object to apply and
as what was read back. The marker ConfigMap says which entry a cluster is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import orjson
from msgspec import Struct, field

from fleetmgr.model.applyset import (
    APP_LABEL,
    CLUSTER_LABEL,
    CONTAINS_ANNOTATION,
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
from fleetmgr.model.jsontypes import JsonObject, is_array, is_object, object_at
from fleetmgr.model.objects import GroupKind, ObjectKey
from fleetmgr.model.policy import OnRemove, Prune

Member = TypeVar("Member", bound=StrEnum)

RECORD_KEY = "record.json"
TOOLING = "fleetmgr/v1"


class Fight(Struct, frozen=True, kw_only=True):
    """Drift of one object that applies have healed ``times`` times in a row, each time written by ``manager``;
    ``at`` is the last time (RFC 3339)."""

    manager: str
    times: int
    at: str


class Record(Struct, frozen=True, kw_only=True):
    """What the parent remembers of the last apply. ``objects`` maps ``key_text`` to ``body_digest``; Secrets
    are left out, a digest of a weak secret would give it away. ``applied_at`` is RFC 3339."""

    revision: str | None = None
    artifact_digest: str = ""
    plan_id: str = ""
    actor: str = ""
    applied_at: str = ""
    prune: Prune = Prune.NEVER
    on_remove: OnRemove = OnRemove.ORPHAN
    objects: Mapping[str, str] = field(default_factory=dict[str, str])
    outcomes: tuple[str, ...] = ()
    """The last 10 results, newest first: ``2026-11-21T01:00:00Z done <plan id>``."""
    finished: Mapping[str, str] = field(default_factory=dict[str, str])
    """Completed Jobs that a TTL removes: ``key_text`` to the digest of their spec."""
    fights: Mapping[str, Fight] = field(default_factory=dict[str, Fight])
    """Healed drift by ``key_text``."""


class Parent(Struct, frozen=True, kw_only=True):
    """An ApplySet parent as read from the cluster."""

    app: str
    group_kinds: frozenset[GroupKind]
    namespaces: frozenset[str]
    record: Record | None


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
        record=_read_record(object_at(body, "data").get(RECORD_KEY)),
    )


def _read_record(text: object) -> Record | None:
    if not isinstance(text, str):
        return None
    try:
        raw: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not is_object(raw):
        return None
    prune = _member(Prune, str(raw.get("prune")).lower()) or Prune.NEVER
    objects = raw.get("objects")
    outcomes = raw.get("outcomes")
    finished = raw.get("finished")
    return Record(
        revision=raw.get("revision"),
        artifact_digest=str(raw.get("artifactDigest", "")),
        plan_id=str(raw.get("planId", "")),
        actor=str(raw.get("actor", "")),
        applied_at=str(raw.get("appliedAt", "")),
        prune=prune,
        on_remove=_member(OnRemove, raw.get("onRemove")) or _BEFORE[prune],
        objects=objects if is_object(objects) else {},
        outcomes=tuple(map(str, outcomes)) if is_array(outcomes) else (),
        finished=finished if is_object(finished) else {},
        fights=_read_fights(raw.get("fights")),
    )


_BEFORE = {Prune.NEVER: OnRemove.ORPHAN, Prune.CONFIRM: OnRemove.CONFIRM, Prune.ALWAYS: OnRemove.DELETE}
"""For records that were written before they held a removal policy."""


def _member(kind: type[Member], text: object) -> Member | None:
    return next((member for member in kind if member.value == text), None)


def _read_fights(raw: object) -> dict[str, Fight]:
    known = raw if is_object(raw) else {}
    return {
        text: Fight(manager=str(f.get("manager")), times=f["times"], at=str(f.get("at")))
        for text, f in known.items()
        if is_object(f) and isinstance(f.get("times"), int)
    }


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
        body["data"] = {RECORD_KEY: _record_text(record)}
    return body


def _record_text(record: Record) -> str:
    raw: JsonObject = {
        "revision": record.revision,
        "artifactDigest": record.artifact_digest,
        "planId": record.plan_id,
        "actor": record.actor,
        "appliedAt": record.applied_at,
        "prune": record.prune.value,
        "onRemove": record.on_remove.value,
        "objects": dict(record.objects),
        "outcomes": list(record.outcomes),
        "finished": dict(record.finished),
    }
    if record.fights:
        raw["fights"] = {
            t: {"manager": f.manager, "times": f.times, "at": f.at} for t, f in record.fights.items()
        }
    return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode()


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
