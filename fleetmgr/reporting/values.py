"""Field diffs for people: JSON pointers as dotted paths, values cut, long texts as a small diff."""

from __future__ import annotations

import difflib
import json
import re

from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import Json
from fleetmgr.model.objects import ObjectRef
from fleetmgr.reporting.escape import cut, visible
from fleetmgr.reporting.redaction import hides
from fleetmgr.reporting.style import Paint

VALUE_LIMIT = 80
DIFF_LINES = 20
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_LOOKS_TYPED = re.compile(r"(?:-?[0-9].*|true|false|null|~|)\Z")


def dotted(pointer: str) -> str:
    """``/spec/containers/[name=web]/image`` -> ``spec.containers[name=web].image``.

    Keys that hold dots or slashes are quoted: ``metadata.labels["app.kubernetes.io/name"]``.
    """
    text = ""
    for part in pointer.split("/")[1:]:
        segment = part.replace("~1", "/").replace("~0", "~")
        key, bracket, rest = segment.partition("[")
        if bracket and rest.endswith("]") and (key == "" or _PLAIN_KEY.match(key)):
            text += (f".{key}" if key else "") + visible(f"[{rest}")
        elif segment.isdigit():
            text += f"[{segment}]"
        elif _PLAIN_KEY.match(segment):
            text += f".{segment}"
        else:
            text += f'["{visible(segment)}"]'
    return text.removeprefix(".") or "(whole object)"


def shown(value: Json, *, limit: int = VALUE_LIMIT) -> str:
    """One value on one line; a string that could be taken for another type is quoted."""
    if isinstance(value, str):
        text = visible(value)
        quoted = _LOOKS_TYPED.match(value) or value.strip() != value
        return cut(f'"{text}"' if quoted else text, limit)
    return cut(visible(json.dumps(value, ensure_ascii=False)), limit)


def field_lines(ref: ObjectRef, diff: FieldDiff, paint: Paint) -> list[str]:
    """How one field of the object ``ref`` changes, one line or a small diff; values of Secrets hidden."""
    path = dotted(diff.path)
    if hides(ref, diff):
        return [paint("yellow", f"~ {path}: (sensitive)")]
    if _multiline(diff.old) or _multiline(diff.new):
        reset = " (reset to default)" if diff.reset else ""
        return [paint("yellow", f"~ {path}:{reset}"), *_text_diff(diff, paint)]
    if diff.old is None and diff.new is not None:
        return [paint("green", f"+ {path}: {shown(diff.new)}")]
    if diff.new is None:
        return [paint("red", f"- {path}: {shown(diff.old)}")]
    reset = " (reset to default)" if diff.reset else ""
    return [paint("yellow", f"~ {path}: {shown(diff.old)} -> {shown(diff.new)}{reset}")]


def _multiline(value: Json) -> bool:
    return isinstance(value, str) and "\n" in value.rstrip("\n")


def _text_diff(diff: FieldDiff, paint: Paint) -> list[str]:
    """A unified diff with one line of context, at most ``DIFF_LINES`` lines of it."""
    old, new = _lines(diff.old), _lines(diff.new)
    body = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
    lines = [f"    {coloured(visible(cut(line, 2 * VALUE_LIMIT)), paint)}" for line in body[:DIFF_LINES]]
    if len(body) > DIFF_LINES:
        lines.append(f"    ... {len(body) - DIFF_LINES} more lines")
    return lines


def _lines(value: Json) -> list[str]:
    if value is None:
        return []
    return (value if isinstance(value, str) else shown(value)).split("\n")


def coloured(line: str, paint: Paint) -> str:
    """A line of a unified diff in its colour."""
    if line.startswith("+"):
        return paint("green", line)
    if line.startswith("-"):
        return paint("red", line)
    if line.startswith("@@"):
        return paint("cyan", line)
    return line
