"""A new entry as YAML text, in the style of its neighbours."""

from __future__ import annotations

import json
import re

from msgspec import Struct

from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object

_PLAIN = re.compile(r"(?:[A-Za-z_]|\.{0,2}/|~/)[A-Za-z0-9_./@%+=~-]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


class Style(Struct, frozen=True, kw_only=True):
    """``block`` are the keys whose maps and lists neighbours write over several lines; ``step`` is how far
    those are indented, ``padded`` whether flow maps are written ``{ a: b }``."""

    block: frozenset[str] = frozenset()
    step: int = 2
    padded: bool = False


def flow(value: Json, style: Style) -> str:
    """``value`` on one line."""
    pad = " " if style.padded else ""
    if is_object(value):
        inner = ", ".join(f"{scalar(key)}: {flow(item, style)}" for key, item in value.items())
        return f"{{{pad}{inner}{pad}}}" if inner else "{}"
    if is_array(value):
        return f"[{', '.join(flow(item, style) for item in value)}]"
    return scalar(value)


def block(entry: JsonObject, style: Style) -> list[str]:
    """``entry`` as the lines of a block map that begins in column 0."""
    lines: list[str] = []
    for key, value in entry.items():
        if key in style.block and is_object(value) and value:
            lines.append(f"{scalar(key)}:")
            lines += [f"{' ' * style.step}{line}" for line in block(value, style)]
        elif key in style.block and is_array(value) and value:
            lines.append(f"{scalar(key)}:")
            lines += [f"{' ' * style.step}- {flow(item, style)}" for item in value]
        else:
            lines.append(f"{scalar(key)}: {flow(value, style)}")
    return lines


def scalar(value: Json) -> str:
    """A scalar that YAML 1.1 and 1.2 read alike; quoted wherever there could be a doubt."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    written = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)
