"""One entry more in a list of a YAML text, or one less: every other byte stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from fleetmgr.adapters.fleetfile.spans import Span, spans
from fleetmgr.adapters.fleetfile.writing import Style, block, flow
from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.model.jsontypes import Json, JsonObject
from fleetmgr.spec.yaml_tree import read

_PADDED = re.compile(r"\{ +[^ }]")
_BLANK = re.compile(r"[ \t]*\r?(?:\n|\Z)")


class NotKept(Exception):
    """The text is written in a way that an edit could not be made without touching more than the entry."""


def inserted(text: str, section: str | None, entry: JsonObject, index: int) -> str:
    """``text`` with ``entry`` as item ``index`` of the list ``section`` (None: the text is the list)."""

    def change(data: Json) -> Json:
        listed = _list(data, section)
        listed.insert(index, entry)
        return data

    return _verified(text, lambda root: _insert(text, root, section, entry, index), change)


def deleted(text: str, section: str | None, index: int) -> str:
    """``text`` without item ``index``."""

    def change(data: Json) -> Json:
        del _list(data, section)[index]
        return data

    return _verified(text, lambda root: _delete(text, root, section, index), change)


def parsed(text: str) -> Json:
    """The data of a text; raises InvalidInput."""
    problems: list[Problem] = []
    _, data = read(text.encode(), name="fleet.yaml", problems=problems)
    if problems:
        raise InvalidInput(tuple(problems))
    return data


def _verified(text: str, edit: Callable[[Span], str], change: Callable[[Json], Json]) -> str:
    root = spans(text)
    if root is None:
        raise NotKept
    after = edit(root)
    try:
        same = parsed(after) == change(parsed(text))
    except InvalidInput:
        same = False
    if not same:
        raise NotKept
    return after


def _list(data: Json, section: str | None) -> list[Json]:
    if section is None:
        return cast("list[Json]", data)
    root = cast("dict[str, Json]", data)
    if root.get(section) is None:
        root[section] = []
    return cast("list[Json]", root[section])


def _insert(text: str, root: Span, section: str | None, entry: JsonObject, index: int) -> str:
    listed = root if section is None else root.get(section)
    style = _style(text, listed)
    if index == 0 and listed is not None and listed.children:
        raise NotKept  # whose is a comment above the first item?
    if listed is None:
        lines = [f"{section}:", *_item(entry, style, indent=2, gap=1)]
        return _with_lines(text, _line_end(text, root.end), lines)
    if listed.children and listed.flow:
        return _into_flow(text, listed, flow(entry, style), index)
    if listed.children:
        return _into_block(text, listed, entry, index, style)
    key = root.key(section) if section else None
    if key is None or root.flow:
        raise NotKept
    lines = _item(entry, style, indent=_column(text, key.start) + 2, gap=1)
    colon = text.index(":", key.end) + 1
    cleared = text[:colon] + text[listed.end :] if listed.end > colon else text
    return _with_lines(cleared, _line_end(cleared, colon), lines)


def _into_block(text: str, listed: Span, entry: JsonObject, index: int, style: Style) -> str:
    dash = _column(text, listed.start)
    before = listed.children[index - 1]
    like = next((item for item in listed.children[index - 1 :: -1] if item.get("include") is None), None)
    gap = before.start - _line_start(text, before.start) - dash - 1
    if gap < 1 or text[listed.start] != "-":
        raise NotKept
    lines = (
        [f"{' ' * dash}-{' ' * gap}{flow(entry, style)}"]
        if (like or before).flow
        else _item(entry, style, indent=dash, gap=gap)
    )
    spaced = _blank_between(text, listed)
    at = _with_comments(text, _line_end(text, before.end), dash)
    return _with_lines(text, at, [*([""] if spaced else []), *lines])


def _into_flow(text: str, listed: Span, written: str, index: int) -> str:
    before = listed.children[index - 1]
    indent = text[_line_start(text, before.start) : before.start]
    if indent.strip():
        return f"{text[: before.end]}, {written}{text[before.end :]}"
    end = _line_end(text, before.end)
    rest = text[before.end : end]
    if rest.lstrip().startswith(","):
        return f"{text[:end]}\n{indent}{written},{text[end:]}"
    if "]" in rest.partition("#")[0]:
        return f"{text[: before.end]},\n{indent}{written}{text[before.end :]}"
    return f"{text[: before.end]},{rest}\n{indent}{written}{text[end:]}"


def _delete(text: str, root: Span, section: str | None, index: int) -> str:
    listed = root if section is None else root.get(section)
    if listed is None or not listed.children:
        raise NotKept
    item, others = listed.children[index], len(listed.children) - 1
    if listed.flow:
        return _from_flow(text, listed, index)
    dash = _column(text, listed.start)
    start = _line_start(text, item.start)
    if text[start : item.start].strip() != "-" or _column(text, start) != 0:
        raise NotKept
    end = min(_with_comments(text, _line_end(text, item.end), dash) + 1, len(text))
    if others:
        start, end = _without_gap(text, start, end, first=index == 0)
        return text[:start] + text[end:]
    key = root.key(section) if section else None
    if key is None:
        raise NotKept
    colon = text.index(":", key.end) + 1
    return f"{text[:colon]} []{text[colon:start]}{text[end:]}"


def _from_flow(text: str, listed: Span, index: int) -> str:
    items = listed.children
    item = items[index]
    start, end = _line_start(text, item.start), _line_end(text, item.end)
    rest = text[item.end : end].partition("#")[0].strip()
    alone = not text[start : item.start].strip() and rest in ("", ",")
    if alone and len(items) > 1 and (index + 1 < len(items) or rest):
        return text[:start] + text[end + 1 :]
    if index + 1 < len(items):
        return text[: item.start] + text[items[index + 1].start :]
    begin = items[index - 1].end if index else item.start
    return text[:begin] + text[item.end :]


def _style(text: str, listed: Span | None) -> Style:
    """How the neighbours write: the last one that has a key decides for it."""
    blocks: dict[str, bool] = {}
    step = 2
    for item in listed.children if listed else ():
        for key, value in item.pairs():
            if value.kind in ("map", "list"):
                blocks[key.value] = not value.flow
                if not value.flow and value.kind == "map":
                    step = max(_column(text, value.start) - _column(text, key.start), 1)
    wanted = frozenset(key for key, is_block in blocks.items() if is_block)
    return Style(block=wanted, step=step, padded=bool(_PADDED.search(text)))


def _item(entry: JsonObject, style: Style, *, indent: int, gap: int) -> list[str]:
    first, *rest = block(entry, style)
    return [f"{' ' * indent}-{' ' * gap}{first}", *(f"{' ' * (indent + 1 + gap)}{line}" for line in rest)]


def _with_lines(text: str, at: int, lines: list[str]) -> str:
    """``lines`` behind the line that ends at ``at``."""
    head = text[:at]
    tail = text[at:] or "\n"
    return head + "".join(f"\n{line}" for line in lines) + tail


def _blank_between(text: str, listed: Span) -> bool:
    """Whether the last two items of a block list are parted by a blank line."""
    if len(listed.children) < 2:  # noqa: PLR2004 - two, to lie between
        return False
    earlier, last = listed.children[-2:]
    between = text[_line_end(text, earlier.end) + 1 : _line_start(text, last.start)]
    return any(not line.strip() for line in between.splitlines())


def _with_comments(text: str, end: int, dash: int) -> int:
    """``end`` of an item's last line, moved behind comment lines that are indented like parts of it."""
    while end < len(text):
        following = _line_end(text, end + 1)
        line = text[end + 1 : following]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= dash:
            break
        end = following
    return end


def _without_gap(text: str, start: int, end: int, *, first: bool) -> tuple[int, int]:
    """With one of the two blank lines that would meet where something is cut out."""
    above = _line_start(text, start - 1) if start else 0
    blank_above = start > 0 and not text[above:start].strip()
    follows = _BLANK.match(text, end)
    if follows is None:
        return start, end
    if first:
        return start, follows.end()
    return (above, end) if blank_above else (start, end)


def _column(text: str, at: int) -> int:
    return at - _line_start(text, at)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Index of the line break that ends the line of ``at``; the texts have ``\\n`` only."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end
