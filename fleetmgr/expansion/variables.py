"""``${root.path}`` inside fleet.yaml itself: in vars, source.path, revision, images, labels and annotations.

The syntax is that of manifests: ``$${x}`` is the literal ``${x}``, a string that is nothing but one variable
takes its type, anything undefined is an error. What is filled in here is never looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from fleetmgr.model.jsontypes import Json, is_array, is_object

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_ROOT_AND_PATH = 2


class Undefined(Exception):
    """No such variable, or one that is no text where text is needed."""

    def __init__(self, expression: str, known: tuple[str, ...], *, reason: str = "is not defined") -> None:
        """``known`` are the names at the place where the look-up ended."""
        super().__init__(expression)
        self.expression = expression
        self.known = known
        self.reason = reason


def mentions(value: Json) -> bool:
    """Whether any string of ``value`` holds ``${``; keys are never filled."""
    if isinstance(value, str):
        return "${" in value
    if is_object(value):
        return any(mentions(v) for v in value.values())
    return is_array(value) and any(mentions(v) for v in value)


def fill(value: Json, roots: Mapping[str, Json]) -> Json:
    """A copy of ``value`` with every variable filled. Raises Undefined."""
    if isinstance(value, str):
        whole = _TOKEN.fullmatch(value)
        if whole and whole[1] is not None:
            return lookup(whole[1], roots)
        return fill_text(value, roots)
    if is_object(value):
        return {k: fill(v, roots) for k, v in value.items()}
    if is_array(value):
        return [fill(v, roots) for v in value]
    return value


def fill_text(text: str, roots: Mapping[str, Json]) -> str:
    """``text`` with every variable filled in as text. Raises Undefined."""

    def put(match: re.Match[str]) -> str:
        return "${" if match[1] is None else _as_text(match[1], lookup(match[1], roots))

    return _TOKEN.sub(put, text) if "${" in text else text


def lookup(expression: str, roots: Mapping[str, Json]) -> Json:
    """The value of ``cluster.vars.domain``; keys may hold dots themselves. Raises Undefined."""
    parts = expression.strip().split(".")
    if len(parts) < _ROOT_AND_PATH:
        raise Undefined(expression, tuple(f"{root}.…" for root in roots))
    return _descend(roots, parts, expression)


def _descend(value: Json, parts: list[str], expression: str) -> Json:
    if not parts:
        return value
    names: tuple[str, ...] = ()
    if is_object(value):
        names = tuple(value)
        for count in range(1, len(parts) + 1):
            key = ".".join(parts[:count])
            if key in value:
                return _descend(value[key], parts[count:], expression)
    raise Undefined(expression, names)


def _as_text(expression: str, value: Json) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if is_object(value) or is_array(value):
        raise Undefined(expression, (), reason="is a list or a map and cannot be part of a text")
    return orjson.dumps(value).decode()
