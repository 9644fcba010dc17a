"""Reading ``managedFields``: who holds which field of a live object.

A fieldset (``fieldsV1``) is a tree: ``f:<field>``, ``k:<JSON of the key fields>`` for an item of a keyed list,
``v:<JSON>`` for a member of a set, ``.`` for the node itself; a leaf is an empty object. Format:
sigs.k8s.io/structured-merge-diff/v6/fieldpath/serialize.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson
from msgspec import Struct

from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, array_at, is_array, is_object, object_at

UPDATE = "Update"
APPLY = "Apply"


class Entry(Struct, frozen=True, kw_only=True):
    """One managedFields entry. ``time`` is RFC 3339 as the server wrote it."""

    manager: str
    operation: str
    subresource: str
    time: str
    fields: JsonObject


def entries(live: JsonObject) -> Iterator[Entry]:
    """Every managedFields entry of an object."""
    return parsed(array_at(live, "metadata", "managedFields"))


def parsed(raws: Iterable[Json]) -> Iterator[Entry]:
    """Entries as they stand in managedFields."""
    for raw in raws:
        if is_object(raw):
            yield Entry(
                manager=str(raw.get("manager", "")),
                operation=str(raw.get("operation", "")),
                subresource=str(raw.get("subresource") or ""),
                time=str(raw.get("time") or ""),
                fields=object_at(raw, "fieldsV1"),
            )


def own_fields(live: JsonObject, manager: str) -> tuple[JsonObject, ...]:
    """Our fieldsets: the Apply entry and any Update entry of the same manager (a Pulumi run leaves those),
    main resource only."""
    return tuple(
        e.fields
        for e in entries(live)
        if e.manager == manager and not e.subresource and e.operation in (APPLY, UPDATE)
    )


def apply_fields(live: JsonObject, manager: str) -> JsonObject:
    """The fieldset of our Apply entry, or an empty one."""
    empty: JsonObject = {}
    return next((e.fields for e in _apply_entries(live, manager)), empty)


def applied_by(live: JsonObject, manager: str) -> bool:
    """Whether ``manager`` has applied this object (an apply that sets no field leaves no entry)."""
    return any(True for _ in _apply_entries(live, manager))


def _apply_entries(live: JsonObject, manager: str) -> Iterator[Entry]:
    return (e for e in entries(live) if e.manager == manager and e.operation == APPLY and not e.subresource)


def list_keys(fields: JsonObject) -> tuple[str, ...]:
    """Names of the key fields when ``fields`` belongs to a keyed list, else ()."""
    for key in fields:
        if key.startswith("k:"):
            parsed = orjson.loads(key[2:])
            return tuple(parsed)
    return ()


def is_set(fields: JsonObject) -> bool:
    """Whether ``fields`` belongs to a list that is a set."""
    return any(key.startswith("v:") for key in fields)


def item_fields(fields: JsonObject, item: Json) -> JsonObject:
    """The fieldset of one item of a keyed list."""
    if not is_object(item):
        return {}
    for key, value in fields.items():
        if key.startswith("k:") and matches(item, orjson.loads(key[2:])) and is_object(value):
            return value
    return {}


def matches(item: JsonObject, wanted: JsonObject) -> bool:
    """Whether an item of a keyed list has this key. A key field that the item leaves out is taken to be
    defaulted (``protocol: TCP`` of a port)."""
    return any(k in item for k in wanted) and all(k not in item or item[k] == v for k, v in wanted.items())


def find_item(items: JsonArray, wanted: JsonObject) -> JsonObject | None:
    """The item with this key: an exact match first, then one that leaves key fields to defaults."""
    loose: JsonObject | None = None
    for item in items:
        if not is_object(item):
            continue
        if all(item.get(k) == v and k in item for k, v in wanted.items()):
            return item
        if loose is None and matches(item, wanted):
            loose = item
    return loose


def leftovers(fields: JsonObject, desired: Json, path: str = "") -> Iterator[str]:
    """JSON pointers of what ``fields`` holds and ``desired`` no longer names: an apply would remove these."""
    for key, below in fields.items():
        if key == ".":
            continue
        found, segment, value = _step(key, desired)
        if not found:
            yield f"{path}/{segment}"
        elif is_object(below) and below:
            yield from leftovers(below, value, f"{path}/{segment}")


def _step(key: str, desired: Json) -> tuple[bool, str, Json]:
    """Follow one fieldset key into ``desired``: (is it there, pointer segment, value)."""
    kind, text = key[:2], key[2:]
    if kind == "f:":
        present = is_object(desired) and text in desired
        return present, escape(text), desired[text] if present else None
    if kind == "k:":
        wanted: JsonObject = orjson.loads(text)
        item = find_item(desired, wanted) if is_array(desired) else None
        return item is not None, key_segment(wanted), item
    if kind == "v:":
        value = orjson.loads(text)
        return is_array(desired) and value in desired, f"[={text}]", None
    return True, text, None  # i:<index> is never written by the API server for real types


def follow(key: str, desired: Json) -> tuple[bool, Json]:
    """Whether what one fieldset key names is in ``desired``, and its value there."""
    found, _, value = _step(key, desired)
    return found, value


def find_key(key: str, value: Json) -> str | int | None:
    """The map key or list index in ``value`` that one fieldset key names exactly; None when it is not there."""
    kind, text = key[:2], key[2:]
    if kind == "f:":
        return text if is_object(value) and text in value else None
    if not is_array(value):
        return None
    wanted: Json = orjson.loads(text) if kind in ("k:", "v:") else None
    if kind == "v:":
        return value.index(wanted) if wanted in value else None
    found = find_item(value, wanted) if is_object(wanted) else None
    return next((i for i, item in enumerate(value) if item is found), None) if found is not None else None


def holds(fields: JsonObject, path: str) -> bool:
    """Whether a fieldset holds the field at a pointer as made by this package (or something above it that is
    a leaf: an atomic list or map)."""
    node = fields
    for segment in path.strip("/").split("/"):
        child = descend(node, segment)
        if child is None:
            return False
        if not child:
            return True
        node = child
    return True


def value_at(body: Json, path: str) -> Json:
    """The value at a pointer as made by this package; None where there is none."""
    for segment in path.strip("/").split("/"):
        if is_object(body):
            body = body.get(unescape(segment))
        elif is_array(body):
            body = next(
                (item for at, item in enumerate(body) if is_named(item, segment) or segment == str(at)), None
            )
        else:
            return None
    return body


def is_named(item: Json, segment: str) -> bool:
    """Whether ``[name=main]`` names an item of a list."""
    if not is_object(item) or not (segment.startswith("[") and segment.endswith("]")):
        return False
    names = [part.partition("=")[0] for part in segment[1:-1].split(",")]
    return all(name in item for name in names) and key_segment({n: item[n] for n in names}) == segment


def descend(node: JsonObject, segment: str) -> JsonObject | None:
    """The fieldset below one segment of a pointer."""
    if segment.startswith("[="):
        value = node.get(f"v:{segment[2:-1]}")
        return value if is_object(value) else None
    if segment.startswith("["):
        for key, value in node.items():
            if key.startswith("k:") and key_segment(orjson.loads(key[2:])) == segment and is_object(value):
                return value
        return None
    value = node.get(f"f:{unescape(segment)}")
    return value if is_object(value) else None


def key_segment(wanted: JsonObject) -> str:
    """``[name=web]``; ``[containerPort=80,protocol=TCP]``."""
    return "[" + ",".join(f"{k}={_scalar(v)}" for k, v in sorted(wanted.items())) + "]"


def _scalar(value: Json) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return escape(text)


def escape(segment: str) -> str:
    """RFC 6901 escaping of one segment."""
    return segment.replace("~", "~0").replace("/", "~1")


def unescape(segment: str) -> str:
    """Undo ``escape``."""
    return segment.replace("~1", "/").replace("~0", "~")
