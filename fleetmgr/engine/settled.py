"""Is there nothing to do for an object? Decided in-process, without asking the server.

True only if it is certain: every desired field is live as desired **and** held by our own fieldset (a field
that somebody else took over may be atomic and differ where we do not look: a PDB selector), nothing that we
hold is gone from desired, and keyed lists keep their order. Everything else is "may differ" and is asked of
the server by a dry run, which alone knows its equivalences.
"""

from __future__ import annotations

from itertools import pairwise

import orjson

from fleetmgr.engine.compare import same
from fleetmgr.engine.fieldset import APPLY, find_item, matches
from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, array_at, is_array, is_object, object_at

_IDENTITY = frozenset({"apiVersion", "kind"})
_IDENTITY_METADATA = frozenset({"name", "namespace"})


def settled(desired: JsonObject, live: JsonObject, manager: str) -> bool:
    """Whether an apply of ``desired`` by ``manager`` is certain to change nothing."""
    fields = _own_apply_entry(desired, live, manager)
    if fields is None:
        return False
    body = {k: v for k, v in desired.items() if k not in _IDENTITY}
    metadata = body.get("metadata")
    if is_object(metadata):
        body["metadata"] = {k: v for k, v in metadata.items() if k not in _IDENTITY_METADATA}
        if not body["metadata"]:
            del body["metadata"]
    return _settled_map(body, live, fields)


def _own_apply_entry(desired: JsonObject, live: JsonObject, manager: str) -> JsonObject | None:
    """Our Apply fieldset, if it is the only entry of our manager and written in the desired version."""
    own = [
        e
        for e in array_at(live, "metadata", "managedFields")
        if is_object(e) and e.get("manager") == manager and not e.get("subresource")
    ]
    if (
        len(own) != 1
        or own[0].get("operation") != APPLY
        or own[0].get("apiVersion") != desired.get("apiVersion")
    ):
        return None
    return object_at(own[0], "fieldsV1")


def _settled(desired: Json, live: Json, fields: JsonObject) -> bool:
    if not fields:  # a leaf: a scalar, or an atomic map or list, which is replaced whole
        return same(desired, live)
    if is_object(desired):
        return is_object(live) and _settled_map(desired, live, fields)
    if is_array(desired):
        return is_array(live) and _settled_list(desired, live, fields)
    return same(desired, live)


def _settled_map(desired: JsonObject, live: JsonObject, fields: JsonObject) -> bool:
    held = sum(1 for key in fields if key != ".")
    if held != len(desired):
        return False
    for key, value in desired.items():
        below = fields.get(f"f:{key}")
        if below is None or key not in live or not _settled(value, live[key], below):
            return False
    return True


def _settled_list(desired: JsonArray, live: JsonArray, fields: JsonObject) -> bool:
    held = [key for key in fields if key != "."]
    if len(held) != len(desired):
        return False
    if held[0].startswith("v:"):
        return all(value in live and f"v:{orjson.dumps(value).decode()}" in fields for value in desired)
    if not held[0].startswith("k:"):
        return False
    return _settled_items(desired, live, {key: orjson.loads(key[2:]) for key in held}, fields)


def _settled_items(
    desired: JsonArray, live: JsonArray, keys: dict[str, JsonObject], fields: JsonObject
) -> bool:
    positions: list[int] = []
    for item in desired:
        if not is_object(item):
            return False
        mine = [key for key, wanted in keys.items() if matches(item, wanted)]
        if len(mine) != 1:
            return False
        found = find_item(live, keys[mine[0]])
        below = fields[mine[0]]
        if found is None or not is_object(below) or not _settled(item, found, below):
            return False
        positions.append(next(i for i, other in enumerate(live) if other is found))
    return all(a < b for a, b in pairwise(positions))
