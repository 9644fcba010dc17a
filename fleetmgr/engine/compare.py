"""Showing what differs between two states of an object, field by field.

``settled`` judges whether anything may differ; this module only words it, for people and JSON.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from fleetmgr.engine.fieldset import escape, find_item, is_set, item_fields, key_segment, list_keys
from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, is_array, is_object
from fleetmgr.model.upkeep import visible


def differing(desired: JsonObject, live: JsonObject, fields: JsonObject) -> tuple[FieldDiff, ...]:
    """Desired fields that live does not hold as desired. ``fields`` (our fieldset) says which lists are keyed.

    Fields that only live has are not looked at: ``fieldset.leftovers`` finds those that were ours.
    """
    return tuple(_differing(desired, live, fields, ""))


def _differing(desired: Json, live: Json, fields: JsonObject, path: str) -> Iterator[FieldDiff]:
    if is_object(desired) and is_object(live):
        for key, value in desired.items():
            below = f"{path}/{escape(key)}"
            if key not in live:
                yield FieldDiff(path=below, old=None, new=value)
            else:
                yield from _differing(value, live[key], _sub(fields, f"f:{key}"), below)
    elif is_array(desired) and is_array(live):
        yield from _differing_list(desired, live, fields, path)
    elif not same(desired, live):
        yield FieldDiff(path=path, old=live, new=desired)


def _differing_list(
    desired: JsonArray, live: JsonArray, fields: JsonObject, path: str
) -> Iterator[FieldDiff]:
    keys = list_keys(fields)
    if keys and all(is_object(item) for item in desired):
        yield from _differing_items(desired, live, fields, path)
    elif is_set(fields):
        missing = [v for v in desired if v not in live]
        if missing:
            yield FieldDiff(path=path, old=live, new=desired)
    elif len(desired) == len(live):
        for index, (a, b) in enumerate(zip(desired, live, strict=True)):
            yield from _differing(a, b, {}, f"{path}/{_segment(a, b, index)}")
    else:
        yield FieldDiff(path=path, old=live, new=desired)


def _differing_items(
    desired: JsonArray, live: JsonArray, fields: JsonObject, path: str
) -> Iterator[FieldDiff]:
    keys = list_keys(fields)
    for item in desired:
        wanted: JsonObject = {k: item[k] for k in keys if k in item}
        found = find_item(live, wanted)
        below = f"{path}/{key_segment(wanted)}"
        if found is None:
            yield FieldDiff(path=below, old=None, new=item)
        else:
            yield from _differing(item, found, item_fields(fields, item), below)


def _segment(a: Json, b: Json, index: int) -> str:
    name = a.get("name") if is_object(a) else None
    if isinstance(name, str) and is_object(b) and b.get("name") == name:
        return key_segment({"name": name})
    return str(index)


def _sub(fields: JsonObject, key: str) -> JsonObject:
    below = fields.get(key)
    return below if is_object(below) else {}


def same(a: Json, b: Json) -> bool:
    """Equal as JSON: ``true`` is not 1, but 1 and 1.0 are one number."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if is_object(a) and is_object(b):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    if is_array(a) and is_array(b):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def changes_between(before: JsonObject, after: JsonObject, fields: JsonObject) -> tuple[FieldDiff, ...]:
    """Every field that differs between two states of one object, noise and status left out."""
    return tuple(_between(visible(before), visible(after), fields, ""))


def _between(before: Json, after: Json, fields: JsonObject, path: str) -> Iterator[FieldDiff]:
    if is_object(before) and is_object(after):
        for key in {**before, **after}:
            below = f"{path}/{escape(key)}"
            if key not in after:
                yield FieldDiff(path=below, old=before[key], new=None)
            elif key not in before:
                yield FieldDiff(path=below, old=None, new=after[key])
            else:
                yield from _between(before[key], after[key], _sub(fields, f"f:{key}"), below)
    elif is_array(before) and is_array(after):
        yield from _between_lists(before, after, fields, path)
    elif not same(before, after):
        yield FieldDiff(path=path, old=before, new=after)


def _between_lists(before: JsonArray, after: JsonArray, fields: JsonObject, path: str) -> Iterator[FieldDiff]:
    keys = list_keys(fields) or _natural_keys(before, after)
    if is_set(fields):
        yield from _between_sets(before, after, path)
    elif keys:
        yield from _between_items(before, after, keys, fields, path)
    elif len(before) == len(after):
        for index, (a, b) in enumerate(zip(before, after, strict=True)):
            yield from _between(a, b, {}, f"{path}/{_segment(a, b, index)}")
    else:
        yield FieldDiff(path=path, old=before, new=after)


def _between_sets(before: JsonArray, after: JsonArray, path: str) -> Iterator[FieldDiff]:
    """The order of a set means nothing."""
    if sorted(map(orjson.dumps, before)) != sorted(map(orjson.dumps, after)):
        yield FieldDiff(path=path, old=before, new=after)


def _between_items(
    before: JsonArray, after: JsonArray, keys: tuple[str, ...], fields: JsonObject, path: str
) -> Iterator[FieldDiff]:
    for item in before:
        wanted: JsonObject = {k: item[k] for k in keys if k in item}
        found = find_item(after, wanted)
        below = f"{path}/{key_segment(wanted)}"
        if found is None:
            yield FieldDiff(path=below, old=item, new=None)
        else:
            yield from _between(item, found, item_fields(fields, item), below)
    for item in after:
        wanted = {k: item[k] for k in keys if k in item}
        if find_item(before, wanted) is None:
            yield FieldDiff(path=f"{path}/{key_segment(wanted)}", old=None, new=item)
    yield from _between_orders(before, after, keys, path)


def _between_orders(
    before: JsonArray, after: JsonArray, keys: tuple[str, ...], path: str
) -> Iterator[FieldDiff]:
    """The order of the items that both lists have: it matters ($(VAR) in env, init containers)."""
    old, new = _common(before, after, keys), _common(after, before, keys)
    if old != new:
        yield FieldDiff(path=path, old=old, new=new)


def _common(items: JsonArray, others: JsonArray, keys: tuple[str, ...]) -> JsonArray:
    found: JsonArray = []
    for item in items:
        wanted: JsonObject = {k: item[k] for k in keys if k in item}
        if find_item(others, wanted) is not None:
            found.append(key_segment(wanted))
    return found


def _natural_keys(before: JsonArray, after: JsonArray) -> tuple[str, ...]:
    """("name",) where every item of both lists has a unique name: for showing a diff, not for judging one."""
    for items in (before, after):
        names = [i.get("name") for i in items if is_object(i)]
        if len(names) != len(items) or None in names or len(set(map(str, names))) != len(names):
            return ()
    return ("name",) if before and after else ()
