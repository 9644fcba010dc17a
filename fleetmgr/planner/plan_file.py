"""The file of a saved plan: one JSON document with a digest over all of it, compressed where it is named ``.gz``.

    {"apiVersion": "plan.fleetmgr.dev/v1", "kind": "SavedPlan", "digest": "sha256:...",
     "fleetmgr": "0.1.0", "madeAt": ..., "fleet": ..., "revision": ..., "text": "Plan: ...", "plan": {...}}

What stands before ``plan`` keeps its meaning for ever, so that every version can show what any other one planned.
"""

from __future__ import annotations

import binascii
import gzip
import hashlib
import json
import zlib
from typing import Any, ClassVar

import msgspec
import orjson
from msgspec.structs import replace

from fleetmgr.errors import FleetError, Where
from fleetmgr.model.jsontypes import JsonObject, is_object
from fleetmgr.model.saved_plan import PlanFile, SavedPlan

API_VERSION = "plan.fleetmgr.dev/v1"
KIND = "SavedPlan"
_GZIP = b"\x1f\x8b"
_MOST_UNPACKED = 1 << 30
_HEAD = ("fleetmgr", "madeAt", "actor", "fleet", "revision", "text")


class NotAPlanFile(FleetError):
    """The file is not a whole, untouched saved plan."""

    code: ClassVar[str] = "FLT-2046"


def encode(saved: SavedPlan, text: str, *, packed: bool) -> tuple[bytes, str]:
    """The file's bytes, and the id that it has by them. ``text`` is the plan as people read it."""
    body = msgspec.to_builtins(replace(saved, id=""))
    body.pop("id", None)
    document: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "fleetmgr": saved.tool,
        "madeAt": saved.made_at,
        "actor": saved.actor,
        "fleet": saved.plan.fleet,
        "revision": saved.plan.revision,
        "text": text,
        "plan": body,
    }
    digest = _digest(document)
    written = {"apiVersion": API_VERSION, "kind": KIND, "digest": f"sha256:{digest}", **document}
    content = (json.dumps(written, indent=1) + "\n").encode("ascii")
    return gzip.compress(content, mtime=0) if packed else content, digest


def decode(content: bytes, *, name: str) -> PlanFile:
    """Read a file; ``name`` is for messages. Raises NotAPlanFile (truncated, edited, something else)."""
    where = Where(file=name)
    document = _parsed(content, where)
    if document.get("kind") != KIND or document.get("apiVersion") != API_VERSION:
        raise NotAPlanFile(
            f"this is no saved plan (kind {document.get('kind')!s}, apiVersion {document.get('apiVersion')!s})",
            where=where,
            hint="make one with `fleet plan --out FILE`; the JSON of `fleet plan -o json` cannot be applied",
        )
    claimed = document.pop("digest", None)
    digest = _digest(document)
    if claimed != f"sha256:{digest}":
        raise NotAPlanFile(
            "the saved plan was changed after it was made: its digest does not fit its content",
            where=where,
            hint="plan again: `fleet plan --out FILE`",
        )
    head = {key: str(document.get(key, "")) for key in _HEAD}
    return PlanFile(
        id=digest,
        tool=head["fleetmgr"],
        made_at=head["madeAt"],
        actor=head["actor"],
        fleet=head["fleet"],
        revision=head["revision"],
        text=head["text"],
        saved=_saved(document.get("plan"), digest),
    )


def _saved(raw: object, digest: str) -> SavedPlan | None:
    try:
        return replace(msgspec.convert(raw, SavedPlan), id=digest)
    except msgspec.ValidationError:
        return None


def _parsed(content: bytes, where: Where) -> JsonObject:
    try:
        if content.startswith(_GZIP):
            unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            content = unpacking.decompress(content, _MOST_UNPACKED)
            if not unpacking.eof:
                raise _broken(where)
        document: Any = orjson.loads(content)
    except (orjson.JSONDecodeError, zlib.error, binascii.Error, RecursionError) as error:
        raise _broken(where) from error
    if not is_object(document):
        raise _broken(where)
    return document


def _broken(where: Where) -> NotAPlanFile:
    return NotAPlanFile(
        "the file is empty, cut off, or no saved plan at all",
        where=where,
        hint="copy it again, or plan again: `fleet plan --out FILE`",
    )


def _digest(document: JsonObject) -> str:
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
