"""Kubernetes objects by reference: how an object is named on a cluster, and where it was written."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.veiled import Veiled

NO_DOCUMENT = -1
"""``Origin.document`` of an object that a program made of the file: its lines are not the file's."""


class GroupKind(NamedTuple):
    """A kind across its versions; ``group`` is "" for the core group."""

    group: str
    kind: str

    def __str__(self) -> str:
        """``Deployment.apps``, as KEP-3659 spells it (``Service`` for the core group)."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


class ObjectKey(NamedTuple):
    """One object on one cluster, whatever version it is read in. ``namespace`` "" = cluster-scoped."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def group_kind(self) -> GroupKind:
        """The kind part."""
        return GroupKind(self.group, self.kind)


class ObjectRef(NamedTuple):
    """An ObjectKey plus the API version it is written in. Sorts stably."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> ObjectKey:
        """Identity on a cluster."""
        return ObjectKey(self.group, self.kind, self.namespace, self.name)

    @property
    def api_version(self) -> str:
        """``apps/v1`` or ``v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        """``apps/v1/Deployment/ns/name``; ``v1/Namespace/name`` when cluster-scoped."""
        return "/".join(p for p in (self.group, self.version, self.kind, self.namespace, self.name) if p)

    @property
    def short(self) -> str:
        """``Deployment ns/name`` for people."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def split_api_version(api_version: str) -> tuple[str, str]:
    """``apps/v1`` -> ("apps", "v1"); ``v1`` -> ("", "v1")."""
    group, _, version = api_version.rpartition("/")
    return group, version


def ref_of(body: JsonObject) -> ObjectRef:
    """The reference of a complete object body (apiVersion, kind, metadata.name present)."""
    group, version = split_api_version(str(body.get("apiVersion", "")))
    metadata = object_at(body, "metadata")
    return ObjectRef(
        group,
        version,
        str(body.get("kind", "")),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name", "")),
    )


class Origin(Struct, frozen=True, kw_only=True):
    """Where an object was written: a file of the repository, 1-based line and column.

    ``document`` counts the file's documents from 0; ``item`` is the place inside a List (``items[3]``), so
    that a field path of the object can be found again in the file (``rendering.locate``).
    """

    file: str
    line: int
    column: int = 1
    revision: str | None = None
    document: int = 0
    item: str = ""

    def where(self, *, obj: str | None = None, field: str | None = None, cluster: str | None = None) -> Where:
        """As a place for an error message."""
        name = f"{self.file}@{self.revision[:12]}" if self.revision else self.file
        return Where(file=name, line=self.line, column=self.column, object=obj, field=field, cluster=cluster)

    def __str__(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"


class Manifest(Veiled, frozen=True, kw_only=True):
    """One Kubernetes object as its source gives it. ``body`` is never changed in place."""

    VEILED = frozenset({"body"})

    ref: ObjectRef
    body: JsonObject
    origin: Origin
