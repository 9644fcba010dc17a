"""YAML text -> plain data by YAML 1.2's core schema, with the node tree kept for positions.

PyYAML resolves by YAML 1.1 (`NO` is false, `012` is ten, `12:30:00` is 45000) and lets the last of two equal
keys win; here scalars follow the 1.2 core schema and a second key is a problem. Keys are strings, as in
JSON: their text. Merge keys (`<<`) are not part of YAML 1.2 and are refused.
"""

from __future__ import annotations

import math
import re

import yaml
from msgspec import Struct

from fleetmgr.errors import Problem, Where
from fleetmgr.spec.plain import Json
from fleetmgr.spec.yaml_guard import CODE, scan, syntax_error

Key = str | int

_PLAIN = "plain"
_STR = "tag:yaml.org,2002:str"
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_START = frozenset("+-.0123456789")
_LONGEST_NUMBER = 40


class _Composer(yaml.CSafeLoader):
    """Composes without PyYAML's YAML 1.1 guessing: plain scalars are left to ``_scalar``."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: object) -> str:  # noqa: ARG002 - PyYAML's
        """Tag of a node that has none."""
        if kind is yaml.ScalarNode:
            return _PLAIN if isinstance(implicit, tuple) and implicit[0] else _STR
        return "tag:yaml.org,2002:map" if kind is yaml.MappingNode else "tag:yaml.org,2002:seq"

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        """No path resolvers."""

    def ascend_resolver(self) -> None:
        """No path resolvers."""


class Place(Struct, frozen=True):
    """A node of a file: what a message points at."""

    file: str
    node: yaml.Node

    def where(self) -> Where:
        """file:line:column, 1-based."""
        mark = self.node.start_mark
        return Where(file=self.file, line=mark.line + 1, column=mark.column + 1)

    def key(self, name: str) -> Place:
        """The key ``name`` of this mapping, or this node when there is none."""
        for key, _ in _pairs(self.node):
            if key.value == name:
                return Place(self.file, key)
        return self

    def child(self, key: Key) -> Place | None:
        """The value at ``key`` of a mapping or sequence."""
        if isinstance(self.node, yaml.MappingNode):
            for name, value in _pairs(self.node):
                if name.value == key:
                    return Place(self.file, value)
        elif isinstance(self.node, yaml.SequenceNode) and isinstance(key, int) and key < len(self.node.value):
            return Place(self.file, self.node.value[key])
        return None

    def walk(self, *path: Key) -> Place:
        """The deepest node that exists on ``path``."""
        place = self
        for key in path:
            below = place.child(key)
            if below is None:
                return place
            place = below
        return place

    def problem(self, message: str, *, code: str, hint: str | None = None) -> Problem:
        """A Problem at this place."""
        return Problem(message=message, where=self.where(), hint=hint, code=code)


def read(text: bytes, *, name: str, problems: list[Problem]) -> tuple[Place | None, Json]:
    """The root (None for an empty file) and the data; problems of single values are appended.

    Raises InvalidInput when the guard refuses the text, and for what only composing shows (an anchor that is
    set twice).
    """
    scan(text, name=name)
    try:
        root = yaml.compose(text, Loader=_Composer)
    except yaml.MarkedYAMLError as error:
        raise syntax_error(error, text, name) from None
    if root is None:
        return None, None
    return Place(name, root), _Construction(name, problems).build(root)


class _Construction:
    """Node -> data. An alias gives the same object again, so aliases cost nothing."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self._name = name
        self._problems = problems
        self._built: dict[int, Json] = {}

    def build(self, node: yaml.Node) -> Json:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._built:
            return self._built[id(node)]
        if isinstance(node, yaml.SequenceNode):
            self._expect_tag(node, "seq")
            data: Json = [self.build(item) for item in node.value]
        else:
            self._expect_tag(node, "map")
            data = self._mapping(node)
        self._built[id(node)] = data
        return data

    def _mapping(self, node: yaml.Node) -> dict[str, Json]:
        data: dict[str, Json] = {}
        seen: dict[str, yaml.ScalarNode] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._report(key, "a key must be a plain word, not a list or a map")
                continue
            name: str = key.value
            if name == "<<" and key.tag == _PLAIN:
                self._report(key, "merge keys (`<<`) are not supported", "spell the keys out, or use vars")
            elif name in seen:
                first = Place(self._name, seen[name]).where()
                self._report(key, f"duplicate key `{name}`, first at {first}", "keep one of them")
            else:
                seen[name] = key
                data[name] = self.build(value)
        return data

    def _expect_tag(self, node: yaml.Node, kind: str) -> None:
        if node.tag not in ("!", f"tag:yaml.org,2002:{kind}"):
            self._report(node, f"this is a {'list' if kind == 'seq' else 'map'}, its tag says otherwise")

    def _scalar(self, node: yaml.ScalarNode) -> Json:
        text: str = node.value
        if node.tag in (_STR, "!"):
            return text
        if node.tag == _PLAIN:
            return self._plain(node, text)
        value: object = self._plain(node, text)
        kind = node.tag.rpartition(":")[2]
        if kind == "float" and type(value) is int:
            return float(value)
        if kind != _KIND.get(value.__class__):
            self._report(node, f"`{text[:80]}` is no {kind}", "leave the tag out")
        return value

    def _plain(self, node: yaml.ScalarNode, text: str) -> Json:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] not in _NUMBER_START:
            return text
        if _NOT_FINITE.fullmatch(text):
            self._report(node, f"`{text}` is no JSON number", "quote it to make it a string")
            return text
        return self._number(node, text)

    def _number(self, node: yaml.ScalarNode, text: str) -> Json:
        decimal, radix = _DECIMAL.fullmatch(text), _RADIX.fullmatch(text)
        if not (decimal or radix or _FLOAT.fullmatch(text)):
            return text
        value: int | float = math.inf
        if len(text) <= _LONGEST_NUMBER:
            value = int(text) if decimal else int(text, 0) if radix else float(text)
        if math.isinf(value):
            self._report(node, "this number is too large", "quote it to make it a string")
            return text
        return value

    def _report(self, node: yaml.Node, message: str, hint: str | None = None) -> None:
        self._problems.append(Place(self._name, node).problem(message, code=CODE, hint=hint))


_KIND: dict[type[object], str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
}


def _pairs(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []
