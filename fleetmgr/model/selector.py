"""Kubernetes label selectors, as ``labels.Parse`` of k8s.io/apimachinery (pkg/labels/selector.go) reads them.

The grammar, its oddities (``in`` and ``notin`` are names wherever a name is expected, ``(,)`` holds the empty
value, ``x=`` means the empty value) and the wording of its errors are upstream's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from fleetmgr.spec.plain import is_label_key, is_label_value

_SPECIAL = frozenset("=!(),><")
_SPACE = frozenset(" \t\r\n")
_SYMBOLS = frozenset({")", ",", "!", "==", "=", ">", "<", "!=", "("})
_OPERATORS = {"in": "in", "notin": "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
_ANY_OF = frozenset({"in", "=", "=="})
_NONE_OF = frozenset({"notin", "!="})
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_END = ""
_NAME = "name"


class SelectorError(ValueError):
    """The text is no selector; the message is apimachinery's."""


class Requirement(Struct, frozen=True, kw_only=True):
    """One term. ``operator`` is one of in notin = == != exists ! gt lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` satisfy the term; an absent key satisfies ``!=``, ``notin`` and ``!``."""
        value = labels.get(self.key)
        if self.operator in _ANY_OF:
            return value in self.values
        if self.operator in _NONE_OF:
            return value not in self.values
        if self.operator in ("exists", "!"):
            return (value is not None) == (self.operator == "exists")
        return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        if value is None or not _INTEGER.fullmatch(value):
            return False
        (limit,) = self.values
        return int(value) > int(limit) if self.operator == "gt" else int(value) < int(limit)


class Selector(Struct, frozen=True, kw_only=True):
    """All requirements must hold; none selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` satisfy every requirement."""
        return all(r.matches(labels) for r in self.requirements)


def selector_of(select: str | Mapping[str, str]) -> Selector:
    """A selector from its text or from a map (equality on every key). Raises SelectorError."""
    if isinstance(select, str):
        return parse_selector(select)
    return Selector(requirements=tuple(_requirement(k, "=", [v]) for k, v in sorted(select.items())))


def parse_selector(text: str) -> Selector:
    """``region in (kr, us), !legacy`` -> Selector. Raises SelectorError."""
    return Selector(requirements=tuple(sorted(_Parser(text).parse(), key=lambda r: r.key)))


def _requirement(key: str, operator: str, values: list[str]) -> Requirement:
    """NewRequirement: the checks that are not grammar."""
    if operator in ("in", "notin") and not values:
        raise SelectorError("for 'in', 'notin' operators, values set can't be empty")
    if operator in ("gt", "lt") and not _INTEGER.fullmatch(values[0]):
        raise SelectorError("for 'Gt', 'Lt' operators, the value must be an integer")
    _check_key(key)
    for value in values:
        if not is_label_value(value):
            raise SelectorError(f"`{value[:80]}` is no label value")
    return Requirement(key=key, operator=operator, values=frozenset(values))


def _check_key(key: str) -> None:
    if not is_label_key(key):
        raise SelectorError(f"`{key[:80]}` is no label key")


def _tokens(text: str) -> list[tuple[str, str]]:
    """(kind, literal): kind is the symbol itself, ``name``, or ``""`` at the end."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if text[at] in _SPACE:
            at += 1
            continue
        start = at
        if text[at] in _SPECIAL:
            at += 2 if text[at : at + 2] in _SYMBOLS else 1
            tokens.append((text[start:at], text[start:at]))
            continue
        while at < len(text) and text[at] not in _SPECIAL and text[at] not in _SPACE:
            at += 1
        tokens.append((_NAME, text[start:at]))
    return [*tokens, (_END, "")]


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def parse(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            kind, literal = self._look()
            if kind == _END:
                return found
            if kind not in (_NAME, "!"):
                raise SelectorError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            found.append(self._requirement())
            kind, literal = self._take()
            if kind == _END:
                return found
            if kind != ",":
                raise SelectorError(f"found '{literal}', expected: ',' or 'end of string'")
            kind, literal = self._look()
            if kind not in (_NAME, "!"):
                raise SelectorError(f"found '{literal}', expected: identifier after ','")

    def _look(self) -> tuple[str, str]:
        return self._tokens[min(self._at, len(self._tokens) - 1)]

    def _take(self) -> tuple[str, str]:
        token = self._look()
        self._at += 1
        return token

    def _requirement(self) -> Requirement:
        kind, key = self._take()
        absent = kind == "!"
        if absent:
            kind, key = self._take()
        if kind != _NAME:
            raise SelectorError(f"found '{key}', expected: identifier")
        _check_key(key)
        if absent:
            return _requirement(key, "!", [])
        if self._look()[0] in (_END, ","):
            return _requirement(key, "exists", [])
        _, literal = self._take()
        operator = _OPERATORS.get(literal)
        if operator is None:
            raise SelectorError(f"found '{literal}', expected: in, notin, =, ==, !=, gt, lt")
        return _requirement(key, operator, self._set() if operator in ("in", "notin") else [self._value()])

    def _value(self) -> str:
        if self._look()[0] in (_END, ","):
            return ""
        kind, literal = self._take()
        if kind != _NAME:
            raise SelectorError(f"found '{literal}', expected: identifier")
        return literal

    def _set(self) -> list[str]:
        """``(a, b)``; between two commas, or a comma and a parenthesis, stands the empty value."""
        kind, literal = self._take()
        if kind != "(":
            raise SelectorError(f"found '{literal}' expected: '('")
        if self._look()[0] == ")":
            self._take()
            return []
        values: list[str] = []
        while True:
            kind, literal = self._look()
            if kind == _NAME:
                self._take()
                values.append(literal)
            elif kind in (",", ")"):
                values.append("")
            else:
                raise SelectorError(f"found '{literal}', expected: ',', or identifier")
            kind, literal = self._take()
            if kind == ")":
                return values
            if kind != ",":
                raise SelectorError(f"found '{literal}', expected: ',' or ')'")
