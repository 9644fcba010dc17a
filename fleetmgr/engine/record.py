"""The memory of one app on one cluster entry, as it is kept in its ApplySet parent.

One structure, written and read by msgspec: ``record.json`` in ``data``, or, once it grows, ``record.json.gz`` in
``binaryData``: a ConfigMap holds at most 1 MiB, and 10,000 objects with their digests would be close to that.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from fleetmgr.model.jsontypes import JsonObject, is_array, is_object, object_at
from fleetmgr.model.memory import RunResult
from fleetmgr.model.policy import AS_PRUNE, OnRemove, Prune

RECORD_KEY = "record.json"
PACKED_KEY = "record.json.gz"
PACK_FROM = 128 * 1024
"""Bytes of JSON from which it is compressed."""
MOST = 900 * 1024
"""Bytes that are safe in a ConfigMap, its annotations and managedFields left room."""
_GZIP = zlib.MAX_WBITS | 16
_MOST_UNPACKED = 64 * 1024 * 1024
KEPT_RESULTS = 10
_LONGEST_REASON = 300


class Fight(Struct, frozen=True, kw_only=True):
    """Drift of one object that applies have healed ``times`` times in a row, each time written by ``manager``;
    ``at`` is the last time (RFC 3339)."""

    manager: str
    times: int
    at: str


class HookMemory(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Of an app that has hooks. ``synced`` names what it last ended well with, ``attempt`` what it is being brought
    to (``engine.hooks``); ``ran`` are the hooks that the attempt has run, with the digest of each; ``removal`` the
    bodies of those that run when the app leaves."""

    synced: str = ""
    attempt: str = ""
    ran: Mapping[str, str] = field(default_factory=dict[str, str])
    removal: tuple[JsonObject, ...] = ()


class Record(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is remembered. Times are RFC 3339; keys of objects are ``key_text``.

    ``objects`` maps them to ``body_digest`` as last applied; Secrets are left out, a digest of a weak secret would
    give it away. ``revision`` to ``applied_at`` are of the last apply that ended well, ``prune`` and ``on_remove`` as
    last applied.
    """

    revision: str | None = None
    """The pinned revision of the app's source where it has one."""
    fleet_revision: str = ""
    """Of fleet.yaml and its overlays; "" where an early version wrote the record."""
    artifact_digest: str = ""
    plan_id: str = ""
    actor: str = ""
    applied_at: str = ""
    prune: Prune = Prune.NEVER
    on_remove: OnRemove = OnRemove.ORPHAN
    depends_on: tuple[str, ...] = ()
    """Apps that it needed when it was last applied: it is deleted before them."""
    objects: Mapping[str, str] = field(default_factory=dict[str, str])
    results: tuple[RunResult, ...] = ()
    """The last 10 runs that wrote something or failed, newest first; a failure without a write once a plan."""
    healthy_since: str | None = None
    """Since when an apply knows it Healthy with what it was last given; None when it was not, or nobody waited."""
    finished: Mapping[str, str] = field(default_factory=dict[str, str])
    """Completed Jobs that a TTL removes, with the digest of their spec."""
    fights: Mapping[str, Fight] = field(default_factory=dict[str, Fight])
    """Healed drift."""
    drifted: Mapping[str, str] = field(default_factory=dict[str, str])
    """Drift that is not healed: when it was first seen."""
    hooks: HookMemory | None = None

    def after(self, result: RunResult) -> tuple[RunResult, ...]:
        """The results with one more run."""
        reason = result.reason
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[:_LONGEST_REASON]}..."
        return (replace(result, reason=reason), *self.results)[:KEPT_RESULTS]


# While one thread is alone: msgspec 0.22 builds what it knows of a type when it is first used, and two threads that do
# so at once (two clusters that are read) end the process with a segmentation fault.
msgspec.convert({}, Record)


def record_data(record: Record) -> JsonObject:
    """What of a ConfigMap holds the record: ``data`` or ``binaryData``.

    Where even the compressed record is too large (some 60,000 objects of one app), the digests of the objects go:
    drift and change are then not told apart there.
    """
    text = msgspec.json.encode(record, order="sorted")
    if len(text) < PACK_FROM:
        return {"data": {RECORD_KEY: text.decode()}}
    packed = _packed(text)
    if len(packed) > MOST:
        return record_data(replace(record, objects={}, drifted={}, fights={}))
    return {"binaryData": {PACKED_KEY: base64.b64encode(packed).decode()}}


def read_record(body: JsonObject) -> Record | None:
    """The record of a parent; None where there is none or it cannot be read (the inventory itself is in the
    annotations, so nothing is lost track of)."""
    raw = _parsed(body)
    if not is_object(raw):
        return None
    try:
        return msgspec.convert(_current(raw), Record)
    except msgspec.ValidationError:
        return None


def _parsed(body: JsonObject) -> Any:
    text = object_at(body, "data").get(RECORD_KEY)
    packed = object_at(body, "binaryData").get(PACKED_KEY)
    try:
        if isinstance(text, str):
            return msgspec.json.decode(text)
        if isinstance(packed, str):
            return msgspec.json.decode(_unpacked(base64.b64decode(packed, validate=True)))
    except (msgspec.DecodeError, binascii.Error, zlib.error, EOFError):
        return None
    return None


def _packed(text: bytes) -> bytes:
    """As gzip does, without its module: every plan would load it."""
    packing = zlib.compressobj(wbits=_GZIP)
    return packing.compress(text) + packing.flush()


def _unpacked(packed: bytes) -> bytes:
    """At most so much that a hand-made bomb does no harm; what is longer fails to parse."""
    return zlib.decompressobj(wbits=_GZIP).decompress(packed, _MOST_UNPACKED)


def _current(raw: JsonObject) -> JsonObject:
    """A record of an earlier version in today's shape."""
    prune = raw.get("prune")
    if isinstance(prune, bool):
        raw = {**raw, "prune": str(prune).lower()}
    if "onRemove" not in raw and "prune" in raw:
        raw = {**raw, "onRemove": AS_PRUNE.get(raw["prune"], OnRemove.ORPHAN)}
    outcomes = raw.get("outcomes")
    if is_array(outcomes) and "results" not in raw:
        raw = {**raw, "results": [_result(str(line)) for line in outcomes]}
    return raw


def _result(line: str) -> JsonObject:
    """``2026-11-21T01:00:00Z done <plan id>``."""
    at, _, rest = line.partition(" ")
    outcome, _, plan_id = rest.partition(" ")
    return {"at": at, "outcome": outcome, "planId": plan_id}
