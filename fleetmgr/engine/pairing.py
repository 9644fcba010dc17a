"""Items of a desired and of a live list that are the same item, and the list made of them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson
from msgspec import Struct

from fleetmgr.engine.fieldset import find_item
from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, is_array, is_object


class _Absent:
    """Nothing is there, not even null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Json = _Absent()


class Pair(Struct, frozen=True, kw_only=True):
    """One item in both lists, or in one of them; ``at`` and ``live_at`` are its places, ``count`` and ``live_count``
    how long the lists are."""

    desired: Json = ABSENT
    live: Json = ABSENT
    at: int | None = None
    live_at: int | None = None
    count: int = 0
    live_count: int = 0

    def stands_at(self, number: int) -> bool:
        """Whether it is item ``number`` (negative: from the end) of one of the lists."""
        return (self.at is not None and self.at == _from_start(number, self.count)) or (
            self.live_at is not None and self.live_at == _from_start(number, self.live_count)
        )


def _from_start(number: int, count: int) -> int:
    return number if number >= 0 else count + number


def pairs(desired: Json, live: JsonArray, names: tuple[str, ...]) -> list[Pair]:
    """Desired items in their order, then those that only live has. ``names`` are the key fields of a keyed list;
    without any, items are the same by their ``name`` where it is unique in both lists, else members of a set by
    value, else by place."""
    wanted: JsonArray = desired if is_array(desired) else []
    find = _finder(wanted, live, names)
    found: list[Pair] = []
    used: set[int] = set()
    size = {"count": len(wanted), "live_count": len(live)}
    for at, item in enumerate(wanted):
        live_at = find(at, item)
        if live_at is None or live_at in used:
            found.append(Pair(desired=item, at=at, **size))
        else:
            used.add(live_at)
            found.append(Pair(desired=item, live=live[live_at], at=at, live_at=live_at, **size))
    rest = (at for at in range(len(live)) if at not in used)
    return found + [Pair(live=live[at], live_at=at, **size) for at in rest]


def _finder(desired: JsonArray, live: JsonArray, names: tuple[str, ...]) -> Callable[[int, Json], int | None]:
    if not names and not any(is_object(item) or is_array(item) for item in (*desired, *live)):
        members = {orjson.dumps(item): at for at, item in enumerate(live)}
        return lambda _, item: members.get(orjson.dumps(item))
    keys = names or (("name",) if _named(desired) and _named(live) else ())
    if not keys:
        return lambda at, _: at if at < len(live) else None
    places = {_key(item, keys): at for at, item in reversed(list(enumerate(live))) if is_object(item)}

    def find(_: int, item: Json) -> int | None:
        if not is_object(item):
            return None
        if all(name in item for name in keys):
            return places.get(_key(item, keys))
        loose = find_item(live, {name: item[name] for name in keys if name in item})
        return next((at for at, other in enumerate(live) if other is loose), None)

    return find


def _named(items: JsonArray) -> bool:
    names = [item.get("name") for item in items if is_object(item)]
    return (
        bool(items)
        and len(names) == len(items)
        and len(set(map(str, names))) == len(names)
        and None not in names
    )


def _key(item: JsonObject, names: tuple[str, ...]) -> bytes:
    return orjson.dumps([item.get(name) for name in names])


def with_order(
    desired: Json, found: list[Pair], rewrite: Callable[[Pair], Json], *, empty: Json = ABSENT
) -> Json:
    """The desired list with every item rewritten; those that come from live only stand where they do there.

    The very list where nothing changes; ``empty`` where all items go.
    """
    rewritten = [(pair, rewrite(pair)) for pair in found]
    if all(new is pair.desired for pair, new in rewritten):
        return desired
    result: list[tuple[int | None, Json]] = []
    for pair, new in rewritten:
        if new is ABSENT:
            continue
        place = len(result) if pair.at is not None else _before(result, pair.live_at)
        result.insert(place, (pair.live_at, new))
    return [item for _, item in result] or empty


def _before(result: list[tuple[int | None, Json]], live_at: int | None) -> int:
    """Where an item goes that live has at ``live_at``."""
    if live_at is None:
        return len(result)
    return next(_later(result, live_at), len(result))


def _later(result: list[tuple[int | None, Json]], live_at: int) -> Iterator[int]:
    return (at for at, (other, _) in enumerate(result) if other is not None and other > live_at)
