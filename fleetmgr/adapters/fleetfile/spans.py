"""YAML text -> a tree of spans: where each node begins and ends in the text."""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from msgspec import Struct, field

_STARTS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
_LITERAL = ("|", ">")


class Span(Struct, kw_only=True):
    """A node from ``start`` to ``end`` (indices of characters). ``children`` of a map are keys and values in
    turn. A block collection ends where its last child ends, not where the parser noticed."""

    kind: str
    """``scalar``, ``list``, ``map`` or ``alias``."""
    start: int
    end: int
    value: str = ""
    flow: bool = False
    children: list[Span] = field(default_factory=list["Span"])

    def get(self, key: str) -> Span | None:
        """The value of ``key`` in a map."""
        return next((value for name, value in self.pairs() if name.value == key), None)

    def key(self, key: str) -> Span | None:
        """The key itself."""
        return next((name for name, _ in self.pairs() if name.value == key), None)

    def pairs(self) -> Iterator[tuple[Span, Span]]:
        """Keys and values of a map."""
        if self.kind == "map":
            yield from zip(self.children[::2], self.children[1::2], strict=True)


def spans(text: str) -> Span | None:
    """The root node of one document, None for an empty one. ``text`` has passed ``yaml_guard.scan``."""
    stack: list[Span] = [Span(kind="list", start=0, end=0)]
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, _ENDS):
            done = stack.pop()
            done.end = _range(event)[1] if done.flow or not done.children else done.children[-1].end
        elif isinstance(event, yaml.NodeEvent):
            span = _span(event, text)
            stack[-1].children.append(span)
            if isinstance(event, _STARTS):
                stack.append(span)
    return stack[0].children[0] if stack[0].children else None


def _span(event: yaml.NodeEvent, text: str) -> Span:
    start, end = _range(event)
    match event:
        case yaml.ScalarEvent():
            if event.style in _LITERAL:  # ends behind its last line break
                end = start + len(text[start:end].rstrip())
            return Span(kind="scalar", start=start, end=end, value=event.value)
        case yaml.AliasEvent():
            return Span(kind="alias", start=start, end=end)
        case yaml.SequenceStartEvent():
            return Span(kind="list", start=start, end=end, flow=bool(event.flow_style))
        case _:
            return Span(kind="map", start=start, end=end, flow=bool(getattr(event, "flow_style", False)))


def _range(event: yaml.Event) -> tuple[int, int]:
    """Events of a text that is parsed from a string always have their marks."""
    start, end = event.start_mark, event.end_mark
    return (start.index, end.index) if start and end else (0, 0)
