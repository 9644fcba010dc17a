"""Small changes to an object: the kind that people, other tools and careless generators make."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

from fleetmgr.model.jsontypes import is_array, is_object

Path = tuple[str | int, ...]
_FIXED = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}
_QUANTITIES = {
    "100m": ["0.1", "100m", "200m"],
    "128Mi": ["134217728", "131072Ki", "129Mi"],
    "1Gi": ["1024Mi", "1073741824", "2Gi"],
    "1024Mi": ["1Gi", "2048Mi"],
    "0.5": ["500m", 0.5, "501m"],
    "0.5Gi": ["512Mi"],
    "500m": ["0.5", 0.5],
    "1": [1, "1000m", "2"],
}


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in an object."""
    yield at
    if is_object(value):
        for key, below in value.items():
            yield from paths(below, (*at, key))
    elif is_array(value):
        for index, below in enumerate(value):
            yield from paths(below, (*at, index))


def at_path(body: Any, path: Path) -> Any:
    """The value at a place."""
    for part in path:
        body = body[part]
    return body


def _others(value: Any) -> list[Any]:
    """What may stand there instead."""
    if isinstance(value, bool):
        return [not value, None]
    if isinstance(value, (int, float)):
        return [value + 1, str(value), None]
    if isinstance(value, str):
        return [*_QUANTITIES.get(value, [f"{value}x", ""]), None]
    if is_array(value):
        shorter = [value[1:], value[:-1]] if value else []
        return [[], value[::-1], *shorter, [*value, *copy.deepcopy(value[:1])], None]
    if is_object(value):
        return [{}, {**value, "extra": "1"}, None]
    return ["", {}]


def mutated(draw: Random, body: dict[str, Any], *, most: int = 2) -> dict[str, Any]:
    """``body`` with up to ``most`` places changed or gone. Its identity stays."""
    result = copy.deepcopy(body)
    for _ in range(draw.randint(0, most)):
        places = [p for p in paths(result) if p and p not in _FIXED]
        if not places:
            break
        path = draw.choice(places)
        holder, key = at_path(result, path[:-1]), path[-1]
        choices = _others(holder[key])
        chosen = draw.randint(0, len(choices))
        if chosen == len(choices):
            del holder[key]
        else:
            holder[key] = choices[chosen]
    return result


def patch(draw: Random, live: dict[str, Any]) -> list[dict[str, Any]]:
    """A JSON patch by which somebody else changes what is live (never identity, never what the server keeps)."""
    kept = {"managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "name", "namespace"}
    visible = {k: v for k, v in live.items() if k not in ("apiVersion", "kind", "status")}
    visible["metadata"] = {k: v for k, v in live["metadata"].items() if k not in kept}
    path = draw.choice([p for p in paths(visible) if p and p != ("metadata",)])
    pointer = "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    choices = [c for c in _others(at_path(visible, path)) if c is not None]
    chosen = draw.randint(0, len(choices))
    if chosen == len(choices):
        return [{"op": "remove", "path": pointer}]
    return [{"op": "replace", "path": pointer, "value": choices[chosen]}]
