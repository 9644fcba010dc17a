"""YAML bytes -> documents.

The guard checks the text, the C parser composes it, and the values are built here, because only the node
tree still knows quotes (``"${x}"`` is a string, ``${x}`` takes the variable's type), lines and duplicate
keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from fleetmgr.errors import InvalidInput, Problem, Where
from fleetmgr.model.jsontypes import Json, JsonObject
from fleetmgr.rendering.documents import BROKEN, DUPLICATE_KEY, NOT_JSON, Document, PathPart, Slot
from fleetmgr.rendering.scalars import NotJson, resolve, resolve_key
from fleetmgr.spec.yaml_guard import MANIFEST_LIMITS, scan

_PLAIN = "plain"


class _ManifestLoader(yaml.CSafeLoader):
    """Leaves plain scalars unresolved: what they mean is ours to say (``scalars``)."""

    def resolve(self, kind: type, value: object, implicit: Sequence[bool]) -> str:  # noqa: ARG002 - the parser passes it
        if kind is yaml.ScalarNode:
            unquoted = implicit[0]
            return _PLAIN if unquoted else "tag:yaml.org,2002:str"
        return "tag:yaml.org,2002:map" if kind is yaml.MappingNode else "tag:yaml.org,2002:seq"


def compose(content: bytes, *, name: str) -> tuple[yaml.Node | None, ...]:
    """The node tree of each document; None for one that an empty stream stands for.

    Raises InvalidInput (FLT-1001) for broken or dangerous YAML.
    """
    scan(content, name=name, limits=MANIFEST_LIMITS)
    try:
        return tuple(yaml.compose_all(content, Loader=_ManifestLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = Where(file=name, line=mark.line + 1 if mark else 1, column=mark.column + 1 if mark else 1)
        problem = Problem(message=f"not valid YAML: {error.problem}", where=where, code=BROKEN)
        raise InvalidInput((problem,)) from None


def read_yaml(content: bytes, *, name: str) -> tuple[Document, ...]:
    """All documents of a YAML file; ``name`` is the file as the user knows it.

    Raises InvalidInput with every duplicate key and unusable value of the file.
    """
    builder = _Builder(name)
    documents: list[Document] = []
    for index, node in enumerate(compose(content, name=name)):
        value, slots = builder.build(node)
        line, column = _start(node)
        documents.append(Document(index=index, value=value, line=line, column=column, slots=slots))
    if builder.problems:
        raise InvalidInput(tuple(builder.problems))
    return tuple(documents)


def _start(node: yaml.Node | None) -> tuple[int, int]:
    if node is None:
        return 1, 1
    return node.start_mark.line + 1, node.start_mark.column + 1


class _Builder:
    """Node tree -> JSON, collecting slots and problems on the way."""

    def __init__(self, name: str) -> None:
        self.problems: list[Problem] = []
        self._name = name
        self._path: list[PathPart] = []
        self._slots: list[Slot] = []

    def build(self, node: yaml.Node | None) -> tuple[Json, tuple[Slot, ...]]:
        self._slots = []
        value = None if node is None else self._value(node)
        return value, tuple(self._slots)

    def _value(self, node: yaml.Node) -> Json:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            items: list[Json] = []
            for index, item in enumerate(node.value):
                self._path.append(index)
                items.append(self._value(item))
                self._path.pop()
            return items
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the composer knows three kinds of node
        return self._mapping(node)

    def _scalar(self, node: yaml.ScalarNode) -> Json:
        text: str = node.value
        if "${" in text:
            line, column = _start(node)
            plain = node.tag == _PLAIN
            slot = Slot(path=tuple(self._path), text=text, plain=plain, line=line, column=column)
            self._slots.append(slot)
            return text
        if node.tag == _PLAIN:
            return self._resolve(node, text)
        return self._tagged(node, text)

    def _resolve(self, node: yaml.ScalarNode, text: str) -> Json:
        try:
            return resolve(text)
        except NotJson:
            self._problem(node, f"`{text}` has no JSON form", "quote it if it is text", code=NOT_JSON)
            return None

    def _tagged(self, node: yaml.ScalarNode, text: str) -> Json:
        """``!!str 1`` is "1"; the other core tags only insist on what the plain scalar must be."""
        if node.tag in ("tag:yaml.org,2002:str", "!"):
            return text
        value = self._resolve(node, text)
        kind = node.tag.rpartition(":")[2]
        wanted = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}.get(kind, str)
        if not isinstance(value, wanted):
            self._problem(node, f"this is no !!{kind}", "leave the tag out", code=NOT_JSON)
        return value

    def _mapping(self, node: yaml.MappingNode) -> JsonObject:
        result: JsonObject = {}
        merged: list[yaml.Node] = []
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN and key_node.value == "<<":
                merged.append(value_node)
                continue
            key = self._key(key_node)
            if key is None:
                continue
            if key in lines:
                self._duplicate(key_node, key, lines[key])
                continue
            lines[key] = key_node.start_mark.line + 1
            self._path.append(key)
            result[key] = self._value(value_node)
            self._path.pop()
        for value_node in merged:
            self._merge(value_node, result)
        return result

    def _merge(self, node: yaml.Node, result: JsonObject) -> None:
        """``<<``: the mapping's own keys win, then the first of several merged ones."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self._problem(node, "`<<` needs a mapping or a list of mappings", code=NOT_JSON)
                return
            known = len(self._slots)
            for key, value in self._mapping(source).items():
                if key in result:
                    self._forget(key, known)
                else:
                    result[key] = value

    def _forget(self, key: str, known: int) -> None:
        depth = len(self._path)
        self._slots[known:] = [s for s in self._slots[known:] if s.path[depth] != key]

    def _key(self, node: yaml.Node) -> str | None:
        key: str | None = None
        if isinstance(node, yaml.ScalarNode):
            try:
                key = resolve_key(node.value) if node.tag == _PLAIN else node.value
            except NotJson:
                key = None
        if key is None:
            self._problem(node, "a key must be text", "quote it", code=NOT_JSON)
        return key

    def _duplicate(self, node: yaml.Node, key: str, first: int) -> None:
        here = node.start_mark.line + 1
        message = f"key `{key}` is given twice in one mapping: in line {first} and in line {here}"
        self._problem(node, message, "keep one of them", code=DUPLICATE_KEY)

    def _problem(self, node: yaml.Node, message: str, hint: str | None = None, *, code: str) -> None:
        line, column = _start(node)
        where = Where(file=self._name, line=line, column=column)
        self.problems.append(Problem(message=message, where=where, hint=hint, code=code))
