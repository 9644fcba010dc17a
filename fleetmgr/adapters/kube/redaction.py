"""Text that others wrote (plugins, servers) loses what looks like a credential before anyone reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object

HIDDEN = "(hidden)"
_SHOWN = 300
_SHORTEST_SECRET = 4

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [^-]*-----.*?(-----END [^-]*-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^/\s@]+@"), r"\1"),
    (re.compile(r"(?i)\b(bearer|basic)\s+\S+"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:[\w-]*token|password|passwd|secret|api[-_]?key|client[-_]?key[\w-]*|authorization|"
            r"signature)[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
    (re.compile(r"(?=[A-Za-z0-9+/_=-]*\d)(?=[A-Za-z0-9+/_=-]*[A-Za-z])[A-Za-z0-9+/_=]{28,}"), HIDDEN),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")

_SECRET_VALUES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r'(Invalid value: |Unsupported value: |Duplicate value: )("(?:[^"\\]|\\.)*"|\S+?(?=: |$))'
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"&?value\.\w+\{.*\}"), HIDDEN),
    (re.compile(r"(expected [\w ]+, got ).*"), rf"\1{HIDDEN}"),
)


def cut(text: str, limit: int = _SHOWN) -> str:
    """``text`` on one line, without control characters, at most ``limit`` characters."""
    line = _CONTROL.sub("", " ".join(text.split()))
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def without_credentials(text: str, limit: int = _SHOWN) -> str:
    """``text`` with anything that looks like a token, key, password or URL userinfo hidden, then cut."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return cut(text, limit)


def without_secret_values(text: str, values: Iterable[str]) -> str:
    """A server's message about a Secret without what the Secret holds.

    Servers quote the rejected value (``Invalid value: "..."``, ``Value:"..."``), so both the known ``values`` and
    every quoted value are hidden.
    """
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, HIDDEN)
    for pattern, replacement in _SECRET_VALUES:
        text = pattern.sub(replacement, text)
    return text


def values_of_secret(body: JsonObject) -> frozenset[str]:
    """Every scalar below ``data`` and ``stringData`` of a Secret, as text."""
    found: set[str] = set()
    stack: list[Json] = [body.get("data"), body.get("stringData")]
    while stack:
        item = stack.pop()
        if is_object(item):
            stack.extend(item.values())
        elif is_array(item):
            stack.extend(item)
        elif item is not None:
            found.add(str(item))
    return frozenset(found)
