"""A check of YAML text before anything is built from it.

The C parser composes recursively and crashes the interpreter on 60 KB of ``[``; aliases turn 200 bytes into
megabytes; the pure loader is ten times slower. So the text is first read as a stream of events, which is
iterative, and the walk stops at the first event that breaks a limit. What passes may be composed with
``CSafeLoader``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from msgspec import Struct

from fleetmgr.errors import InvalidInput, Problem, Where

CODE = "FLT-1001"
MIB = 1024 * 1024
CORE_TAGS = frozenset(
    {"!", *(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map"))}
)


class Limits(Struct, frozen=True, kw_only=True):
    """What a text may hold. ``size`` in bytes; ``expanded`` in characters after following every alias,
    eight per node; ``byte_order_mark`` lets a UTF-8 BOM pass."""

    size: int = 4 * MIB
    depth: int = 64
    aliases: int = 1000
    expanded: int = 16 * MIB
    documents: int = 1
    tags: frozenset[str] = CORE_TAGS
    byte_order_mark: bool = False


FLEET_LIMITS = Limits()
MANIFEST_LIMITS = Limits(size=32 * MIB, expanded=64 * MIB, documents=20_000, byte_order_mark=True)

_NODE_COST = 8
_MAX_DIRECTIVES = 8  # libyaml compares each %TAG with all earlier ones: 4 MiB of them would take hours
_BAD_CHARACTER = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DIRECTIVE = re.compile(rb"^%", re.MULTILINE)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_START = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_END = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


def scan(text: bytes, *, name: str, limits: Limits = FLEET_LIMITS) -> None:
    """Raise InvalidInput (one Problem, FLT-1001, file:line:column) unless ``text`` is safe, well-formed YAML.

    ``name`` is the file as the user knows it. Time and memory are linear in the part that is read: a text
    that breaks a limit is left at that place.
    """
    _check_bytes(text, name=name, limits=limits)
    walk = _Walk(name, limits)
    try:
        for event in _events(text):
            walk.see(event)
    except yaml.MarkedYAMLError as error:
        raise syntax_error(error, text, name) from None
    except yaml.YAMLError as error:
        raise refuse(f"not valid YAML: {_one_line(str(error))}", name=name) from None


def refuse(
    message: str, *, name: str, line: int = 0, column: int = 0, hint: str | None = None
) -> InvalidInput:
    """An InvalidInput with one Problem; ``line`` and ``column`` are 0-based as PyYAML counts them."""
    where = Where(file=name, line=line + 1, column=column + 1)
    return InvalidInput((Problem(message=message, where=where, hint=hint, code=CODE),))


def _events(text: bytes) -> Iterator[yaml.Event]:
    return iter(yaml.parse(text, Loader=yaml.CSafeLoader))


class _Walk:
    """Counts what the events would build. ``_open`` holds the cost of each collection that is still open."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._documents = 0
        self._aliases = 0
        self._total = 0
        self._open: list[tuple[str | None, int]] = []
        self._costs: dict[str, int | None] = {}

    def see(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._count(event)
        elif isinstance(event, _START):
            self._enter(event)
        elif isinstance(event, _END):
            self._leave()
        elif isinstance(event, yaml.AliasEvent):
            self._follow(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        if self._total > self._limits.expanded:
            raise self._refuse(event, f"aliases expand this to more than {self._limits.expanded} characters")

    def _count(self, event: yaml.ScalarEvent) -> None:
        self._check_tag(event)
        cost = _NODE_COST + len(event.value)
        self._total += cost
        if event.anchor:
            self._costs[event.anchor] = cost

    def _enter(self, event: yaml.CollectionStartEvent) -> None:
        self._check_tag(event)
        if len(self._open) >= self._limits.depth:
            raise self._refuse(event, f"nested more than {self._limits.depth} levels deep")
        self._open.append((event.anchor, self._total))
        if event.anchor:
            self._costs[event.anchor] = None
        self._total += _NODE_COST

    def _leave(self) -> None:
        anchor, before = self._open.pop()
        if anchor:
            self._costs[anchor] = self._total - before

    def _follow(self, event: yaml.AliasEvent) -> None:
        self._aliases += 1
        if self._aliases > self._limits.aliases:
            raise self._refuse(event, f"more than {self._limits.aliases} aliases")
        if event.anchor not in self._costs:
            raise self._refuse(event, f"alias `*{event.anchor}` has no anchor `&{event.anchor}` before it")
        cost = self._costs[event.anchor]
        if cost is None:
            raise self._refuse(event, f"alias `*{event.anchor}` lies inside its own anchor")
        self._total += cost

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        self._costs.clear()
        if self._documents > self._limits.documents:
            count = self._limits.documents
            raise self._refuse(
                event,
                "a second document (`---`) starts here" if count == 1 else f"more than {count} documents",
                "this file holds one document" if count == 1 else None,
            )

    def _check_tag(self, event: yaml.NodeEvent) -> None:
        tag: str | None = getattr(event, "tag", None)
        if tag is not None and tag not in self._limits.tags:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            raise self._refuse(event, f"unknown tag `{shown[:80]}`", "write the value without a tag")

    def _refuse(self, event: yaml.Event, message: str, hint: str | None = None) -> InvalidInput:
        mark = event.start_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return refuse(message, name=self._name, line=line, column=column, hint=hint)


def _check_bytes(text: bytes, *, name: str, limits: Limits) -> None:
    """Size, encoding and characters; libyaml would say less, and without a line."""
    if len(text) > limits.size:
        raise refuse(f"the file has {len(text)} bytes; at most {limits.size} are read", name=name)
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("the file is UTF-16", name=name, hint="save it as UTF-8")
    if text.startswith(b"\xef\xbb\xbf"):
        if not limits.byte_order_mark:
            raise refuse("the file starts with a byte order mark", name=name, hint="save it as UTF-8 without")
        text = text[3:]
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _position(text[: error.start].decode("utf-8"))
        raise refuse("not UTF-8 from here on", name=name, line=line, column=column) from None
    if bad := _BAD_CHARACTER.search(decoded):
        line, column = _position(decoded[: bad.start()])
        message = f"control character U+{ord(bad.group()):04X} is not allowed"
        raise refuse(message, name=name, line=line, column=column)
    if len(_DIRECTIVE.findall(text)) > _MAX_DIRECTIVES and text.count(b"\n%TAG") > _MAX_DIRECTIVES:
        raise refuse("too many %TAG directives", name=name)


def _position(before: str) -> tuple[int, int]:
    """0-based line and column of the character after ``before``."""
    lines = _LINE_BREAK.split(before)
    return len(lines) - 1, len(lines[-1])


def syntax_error(error: yaml.MarkedYAMLError, text: bytes, name: str) -> InvalidInput:
    """The parser's own words and place, with advice for the mistakes that people make most."""
    mark = error.problem_mark or error.context_mark
    lines = _LINE_BREAK.split(text.decode("utf-8", "replace"))
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if line >= len(lines):  # libyaml puts the end of the text on a line of its own
        line, column = len(lines) - 1, len(lines[-1])
    problem = _one_line(error.problem or error.context or "cannot be parsed")
    context = f" {_one_line(error.context)}" if error.context and error.problem else ""
    message = f"not valid YAML: {problem}{context}"
    character = lines[line][column : column + 1]
    if character == "\t":
        return refuse("a tab indents this line", name=name, line=line, column=column, hint="use spaces")
    hint = None
    if character and "cannot start any token" in problem:
        hint = f"put a value that starts with `{character}` in quotes"
    elif "mapping values are not allowed" in problem:
        hint = "put a value that holds `: ` in quotes, or check the indentation"
    return refuse(message, name=name, line=line, column=column, hint=hint)


def _one_line(message: str) -> str:
    return " ".join(message.split())
