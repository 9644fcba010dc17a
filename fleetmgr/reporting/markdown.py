"""Markdown for pull requests: blocks whose content cannot break out, and a document that always fits.

Everything that comes from a repository or a cluster stands in code spans or fences longer than any run of
backticks in it, so that it is neither Markdown nor HTML; mentions are broken, so that nobody is notified.
A forge cuts or refuses comments over 65,536 characters: a document here has at most ``LIMIT``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from fleetmgr.reporting.escape import cut, visible

LIMIT = 60_000
_ROWS = 60
_TABLE_LIMIT = 15_000
_NOTE_LIMIT = 8_000
_LINE_LIMIT = 500
_RESERVED = 600
_TITLE_LIMIT = 400
_SUMMARY_LIMIT = 120
_CUT_WORTH = 3_000
"""Below this many characters of room, a block is named and not begun."""
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_TICKS = re.compile(r"`+")
_NAME = re.compile(r"[^A-Za-z0-9._-]")


class Block(Struct, frozen=True, kw_only=True):
    """A part that folds: ``summary`` is trusted HTML (see ``html_code``), ``lines`` are any text."""

    summary: str
    lines: tuple[str, ...]
    language: str = "diff"


class Row(Struct, frozen=True, kw_only=True):
    """A table's row of ready cells; quiet ones go first when there are too many. ``state`` counts them then."""

    cells: tuple[str, ...]
    state: str = ""
    quiet: bool = False


def marker(what: str, name: str = "") -> str:
    """The hidden first line by which a comment is found again: ``<!-- fleet-plan:shop -->``."""
    safe = cut(_NAME.sub("", name).replace("--", "-"), _TITLE_LIMIT)
    return f"<!-- fleet-{what}:{safe} -->" if safe else f"<!-- fleet-{what} -->"


def code(text: str) -> str:
    """``text`` as a code span, also inside of a table."""
    shown = _harmless(text).replace("|", "\\|") or " "
    ticks = "`" * (_longest([shown]) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def html_code(text: str) -> str:
    """``text`` as HTML code, for a summary."""
    return f"<code>{_harmless(cut(text, _SUMMARY_LIMIT)).translate(_HTML)}</code>"


def fence(lines: Sequence[str], language: str = "text", *, limit: int = LIMIT) -> str:
    """``lines`` as a fenced block of at most ``limit`` characters; what does not fit is counted."""
    shown = [_harmless(line) for line in lines]
    ticks = "`" * max(3, _longest(shown) + 1)
    kept = _fitting(shown, limit - 2 * len(ticks) - len(language) - 60)
    left = len(shown) - len(kept)
    more = [f"... and {left} more {'line' if left == 1 else 'lines'}"] if left else []
    return "\n".join([f"{ticks}{language}", *kept, *more, ticks])


def note(title: str, lines: Sequence[str]) -> list[str]:
    """A titled fence that is always shown, or nothing for no lines. ``title`` is trusted."""
    return [f"**{title}**", fence(lines, limit=_NOTE_LIMIT)] if lines else []


def table(titles: Sequence[str], rows: Sequence[Row], *, noun: str) -> list[str]:
    """A table whose surplus is counted: ``...and 38 more clusters: 30 unchanged, 8 changed``."""
    if not rows:
        return []
    texts = [f"| {' | '.join(row.cells)} |" for row in rows]
    chosen: set[int] = set()
    room = _TABLE_LIMIT
    for number in sorted(range(len(rows)), key=lambda n: rows[n].quiet):
        room -= len(texts[number]) + 1
        if room < 0 or len(chosen) == _ROWS:
            break
        chosen.add(number)
    kept = [text for number, text in enumerate(texts) if number in chosen]
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}", *kept]
    left = [row for number, row in enumerate(rows) if number not in chosen]
    if not left:
        return ["\n".join(lines)]
    states = ", ".join(f"{number} {state}" for state, number in Counter(r.state for r in left).items())
    plural = noun if len(left) == 1 else f"{noun}s"
    return ["\n".join(lines), f"...and {len(left)} more {plural}: {states}"]


def document(head: Sequence[str], blocks: Sequence[Block], tail: Sequence[str] = (), *, whole: str) -> str:
    """Paragraphs, then what folds, then paragraphs; at most ``LIMIT`` characters.

    ``whole`` says in a trusted sentence where everything is when something was left out.
    """
    parts = list(head)
    room = LIMIT - _RESERVED - sum(len(part) + 2 for part in (*head, *tail))
    for number, block in enumerate(blocks):
        text = _folded(block, limit=LIMIT)
        if len(text) + 2 > room:
            left = len(blocks) - number
            if room >= _CUT_WORTH:
                parts.append(_folded(block, limit=room - 2))
                left -= 1
            also = f"...and {left} more {'part' if left == 1 else 'parts'}; " if left else "Shortened; "
            parts.append(f"{also}{whole}")
            break
        parts.append(text)
        room -= len(text) + 2
    return "\n\n".join(part for part in (*parts, *tail) if part) + "\n"


def heading(text: str) -> str:
    """A heading of trusted words."""
    return f"### {cut(text, _TITLE_LIMIT)}"


def _folded(block: Block, *, limit: int) -> str:
    start, end = f"<details><summary>{block.summary}</summary>\n\n", "\n\n</details>"
    return start + fence(block.lines, block.language, limit=limit - len(start) - len(end)) + end


def _harmless(text: str) -> str:
    """One printable line of bounded length that mentions nobody."""
    return _MENTION.sub("@\u200b", cut(visible(text), _LINE_LIMIT))


def _longest(lines: Iterable[str]) -> int:
    return max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept
