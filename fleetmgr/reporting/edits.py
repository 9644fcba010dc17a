"""An edit of our own files as a unified diff."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.escape import visible, visible_lines
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.values import coloured

_NO_BREAK = "\\ No newline at end of file"


def file_diff(file: str, before: bytes | None, after: bytes | None) -> list[str]:
    """The lines of a unified diff, escaped."""
    old = "/dev/null" if before is None else f"a/{visible(file)}"
    new = "/dev/null" if after is None else f"b/{visible(file)}"
    return list(difflib.unified_diff(_lines(before), _lines(after), old, new, lineterm=""))


def edit_text(
    diffs: Sequence[Sequence[str]], notes: Sequence[str], outcome: str = "", *, paint: Paint = PLAIN
) -> str:
    """Every diff, then the notes, then what became of it."""
    lines = [coloured(line, paint) for diff in diffs for line in diff]
    if notes:
        lines += ["", *(f"{paint('yellow', 'note:')} {visible(note)}" for note in notes)]
    if outcome:
        lines += ["", visible(outcome)]
    return "\n".join(lines) + "\n"


def edit_data(
    name: tuple[str, str, str],
    files: Sequence[str],
    diff: Sequence[str],
    notes: Sequence[str],
    *,
    written: bool,
) -> JsonObject:
    """Kind ``Edit``; ``name`` is verb, kind of entry and its name."""
    verb, kind, entry = name
    return {
        "apiVersion": API_VERSION,
        "kind": "Edit",
        "verb": verb,
        "entry": {"kind": kind, "name": entry},
        "files": list(files),
        "diff": "".join(f"{line}\n" for line in diff),
        "notes": list(notes),
        "written": written,
    }


def _lines(text: bytes | None) -> list[str]:
    """Lines as a diff shows them; carriage returns of the file are not shown."""
    if not text:
        return []
    decoded = text.decode("utf-8", "replace").replace("\r\n", "\n")
    lines = visible_lines(decoded)
    return lines if decoded.endswith("\n") else [*lines, _NO_BREAK]
