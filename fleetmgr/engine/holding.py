"""Who holds which field of a live object, as two fieldsets: what is ours, and what anybody else holds.

A node of a fieldset is None where nothing is held, an empty object where the value is held as a whole (a scalar, an
atomic list or map), and otherwise the fields below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import orjson
from msgspec import Struct

from fleetmgr.engine.adoption import Takeover, union
from fleetmgr.engine.fieldset import APPLY, UPDATE, Entry, entries, list_keys, matches, parsed
from fleetmgr.model.jsontypes import Json, JsonObject, array_at, is_object

Node: TypeAlias = JsonObject | None
_WHOLE_OBJECT: JsonObject = {}
_STATUS = "status"


class Held(Struct, frozen=True, kw_only=True):
    """``others`` are the entries of other managers, of the object itself and of subresources that write its spec."""

    ours: Node
    theirs: Node
    others: tuple[Entry, ...]


def held(live: JsonObject, manager: str) -> Held:
    """As ``managedFields`` says. Where somebody has wiped it, all is ours: that is what the server makes of it at the
    first apply of an adoption, which moves it."""
    if not array_at(live, "metadata", "managedFields"):
        return Held(ours=_WHOLE_OBJECT, theirs=None, others=())
    known = list(entries(live))
    ours = [e.fields for e in known if _is_ours(e, manager)]
    return _held(ours, (e for e in known if e.subresource != _STATUS and not _is_ours(e, manager)))


def held_after(taking: Takeover) -> Held:
    """As it will be once an adoption has moved the entries of earlier managers."""
    return _held([taking.fields], (e for e in parsed(taking.rest) if e.subresource != _STATUS))


def _held(ours: Sequence[JsonObject], others: Iterable[Entry]) -> Held:
    kept = tuple(others)
    return Held(ours=_united(ours), theirs=_united([e.fields for e in kept]), others=kept)


def _is_ours(entry: Entry, manager: str) -> bool:
    return entry.manager == manager and not entry.subresource and entry.operation in (APPLY, UPDATE)


def _united(fields: Sequence[JsonObject]) -> Node:
    result: Node = None
    for one in fields:
        result = one if result is None else union(result, one)
    return result


def held_by(held: Held, manager: str) -> Node:
    """What one of the others holds, over all its entries."""
    return _united([e.fields for e in held.others if e.manager == manager])


def below(node: Node, field: str) -> Node:
    """The node of a map's key."""
    if node is None:
        return None
    if not node:
        return node  # what is held as a whole is held in all its parts
    found = node.get(f"f:{field}")
    return found if is_object(found) else None


def member(node: Node, value: Json) -> Node:
    """The node of a member of a set."""
    found = node.get(f"v:{orjson.dumps(value).decode()}") if node else None
    return found if is_object(found) else None


def names_of_keys(ours: Node, theirs: Node) -> tuple[str, ...]:
    """The key fields of a keyed list, () for any other."""
    return list_keys(ours or {}) or list_keys(theirs or {})


class Items:
    """Nodes of the items of a keyed list, found by their key without a search each time."""

    def __init__(self, node: Node, names: tuple[str, ...]) -> None:
        """``names`` are the key fields."""
        self._names = names
        self._all = [
            (orjson.loads(key[2:]), value)
            for key, value in (node or {}).items()
            if key.startswith("k:") and is_object(value)
        ]
        self._exact = {self._text(wanted): value for wanted, value in self._all}

    def of(self, item: Json) -> Node:
        """The node of an item; one that leaves a key field to its default is searched for."""
        if not is_object(item):
            return None
        if all(name in item for name in self._names):
            return self._exact.get(self._text(item))
        return next((value for wanted, value in self._all if matches(item, wanted)), None)

    def _text(self, item: JsonObject) -> bytes:
        return orjson.dumps([item.get(name) for name in self._names])
