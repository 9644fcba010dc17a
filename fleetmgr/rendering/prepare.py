"""One object of a source for one target: variables, overlay, namespace, canonical form, name.

All that does not depend on the cluster entry itself (its part-of label) happens here, so that a thousand
clusters with equal overlays share one prepared object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import orjson
from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.model.applyset import (
    APP_LABEL,
    CLUSTER_LABEL,
    FLEET_LABEL,
    ID_LABEL,
    PART_OF_LABEL,
    RECORD_LABEL,
)
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind, ObjectRef, Origin, ref_of, split_api_version
from fleetmgr.model.ordering import Ordering, read_ordering
from fleetmgr.model.policy import ON_CONFLICT_ANNOTATION, OnConflict
from fleetmgr.model.resource import (
    PATCH_MANAGER_ANNOTATION,
    PROPAGATION_ANNOTATION,
    SKIP_AWAIT_ANNOTATION,
    field_manager,
)
from fleetmgr.model.target import Overlay
from fleetmgr.model.urn import type_token
from fleetmgr.rendering.canonical import Notes, canonical
from fleetmgr.rendering.identity import resource_name
from fleetmgr.rendering.kinds import Scopes
from fleetmgr.rendering.ordering import unreadable
from fleetmgr.rendering.overlays import Neighbours, Usage, apply_overlay
from fleetmgr.veiled import Veiled

RESERVED_LABEL = "FLT-1309"
INVALID_FIELD = "FLT-1310"
UNKNOWN_POLICY = "FLT-1112"
LEFT_OUT = "FLT-1351"
NAMESPACE_DROPPED = "FLT-1352"

_WORKLOADS = {
    ("v1", "Pod"),
    ("v1", "ReplicationController"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
}
_RESERVED = frozenset({APP_LABEL, CLUSTER_LABEL, FLEET_LABEL, ID_LABEL, PART_OF_LABEL, RECORD_LABEL})


class Prepared(Veiled, frozen=True, kw_only=True):
    """Everything of a Resource but its part-of label and options. ``body`` is shared: never change it."""

    VEILED = frozenset({"body"})

    body: JsonObject
    ref: ObjectRef
    type: str
    name: str
    digest: bytes
    """SHA-256 over the body's canonical JSON."""
    usage: Usage
    ordering: Ordering
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


class Setting(Struct, frozen=True, kw_only=True):
    """What an object is prepared for: the same for all clusters whose layers agree."""

    fleet: str
    namespace: str
    overlay: Overlay
    neighbours: Neighbours
    scopes: Scopes


def prepare(body: JsonObject, origin: Origin, setting: Setting) -> Prepared:
    """``body`` (variables already filled in) as it is to be on a cluster."""
    notes = Notes()
    usage = Usage()
    problems: list[Problem] = []
    warnings: list[Problem] = []
    body = apply_overlay(body, setting.overlay, setting.neighbours, usage)
    body, dropped = _place(body, setting)
    body = canonical(body, notes)
    ref = ref_of(body)
    where = origin.where(obj=ref.short)
    if dropped:
        message = f"{ref.kind} has no namespace: `{dropped}` was left out"
        warnings.append(Problem(message=message, where=where, code=NAMESPACE_DROPPED))
    for label in sorted(_RESERVED & object_at(body, "metadata", "labels").keys()):
        message, hint = f"label `{label}` belongs to fleetmgr", "take it out of the manifest"
        problems.append(Problem(message=message, where=where, hint=hint, code=RESERVED_LABEL))
    for key in ("name", "namespace"):
        if not isinstance(object_at(body, "metadata").get(key, ""), str):
            notes.problems.append((f"metadata.{key}", "must be a string: quote the variable"))
    for name, message in notes.problems:
        place = origin.where(obj=ref.short, field=name)
        problems.append(Problem(message=message, where=place, code=INVALID_FIELD))
    for name, message in notes.warnings:
        place = origin.where(obj=ref.short, field=name)
        warnings.append(Problem(message=message, where=place, code=LEFT_OUT))
    ordering, faults = read_ordering(body)
    problems += unreadable(faults, ref, origin)
    problems += _annotations(body, origin, ref)
    body = _stamp(body, setting.fleet)
    return Prepared(
        body=body,
        ref=ref,
        type=type_token(ref.group, ref.version, ref.kind),
        name=resource_name(ref),
        digest=hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest(),
        usage=usage,
        ordering=ordering,
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


def _annotations(body: JsonObject, origin: Origin, ref: ObjectRef) -> Iterator[Problem]:
    """Our own annotations must say something that we know."""
    said = object_at(body, "metadata", "annotations").get(ON_CONFLICT_ANNOTATION)
    if said is not None and said not in list(OnConflict):
        message = (
            f"annotation {ON_CONFLICT_ANNOTATION}: `{str(said)[:40]}` is none of {', '.join(OnConflict)}"
        )
        where = origin.where(obj=ref.short, field=f'metadata.annotations["{ON_CONFLICT_ANNOTATION}"]')
        yield Problem(message=message, where=where, code=UNKNOWN_POLICY)


def with_part_of(body: JsonObject, part_of: str) -> JsonObject:
    """The inputs of a Resource: ``body`` with the label that names its inventory."""
    metadata = body["metadata"]
    return {**body, "metadata": {**metadata, "labels": {**metadata["labels"], PART_OF_LABEL: part_of}}}


def _place(body: JsonObject, setting: Setting) -> tuple[JsonObject, str]:
    """The object in its namespace, and the namespace that a cluster-scoped object wrongly had."""
    group, _ = split_api_version(str(body["apiVersion"]))
    metadata = object_at(body, "metadata")
    given = metadata.get("namespace")
    if setting.scopes.cluster_scoped(GroupKind(group, str(body["kind"]))):
        if not given:
            return body, ""
        rest = {key: value for key, value in metadata.items() if key != "namespace"}
        return {**body, "metadata": rest}, str(given)
    namespace = setting.overlay.namespace or given or setting.namespace
    if namespace == given:
        return body, ""
    return {**body, "metadata": {**metadata, "namespace": namespace}}, ""


def _stamp(body: JsonObject, fleet: str) -> JsonObject:
    """Rule 4 of the engines: the manager for Pulumi's provider, and health is ours."""
    metadata = object_at(body, "metadata")
    annotations = {
        **object_at(metadata, "annotations"),
        PATCH_MANAGER_ANNOTATION: field_manager(fleet),
        SKIP_AWAIT_ANNOTATION: "true",
    }
    if (body["apiVersion"], body["kind"]) in _WORKLOADS:
        annotations.setdefault(PROPAGATION_ANNOTATION, "background")
    labels = {**object_at(metadata, "labels"), FLEET_LABEL: fleet}
    return {**body, "metadata": {**metadata, "annotations": annotations, "labels": labels}}
