"""Reading a path of jq: recursive descent over its tokens, with the precedences of jq 1.7 (parser.y)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeVar

from fleetmgr.spec.path_steps import BadPath, Call, Condition, Constant, Each, Get, Index, Key, Select, Step
from fleetmgr.spec.plain import Json

Inside = TypeVar("Inside")

DEEPEST = 20
"""Parentheses inside of each other."""
_FUNCTIONS = {"not": 0, "startswith": 1, "endswith": 1, "contains": 1, "has": 1}
_KNOWN = ", ".join(f"`{name}`" for name in _FUNCTIONS)
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?)
    | (?P<field>\.[A-Za-z_][A-Za-z0-9_]*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>==|!=|\.\.|//|[.\[\](){}|?,:<>=+*/%-])
    )""",
    re.VERBOSE,
)
_LITERALS: dict[str, Json] = {"true": True, "false": False, "null": None}


def read(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises BadPath for what is no jq, and for jq that is no plain path."""
    reader = _Reader(text)
    steps = reader.pipeline()
    reader.end()
    return steps


class _Reader:
    """Recursive descent over the tokens of one path."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        self._at = 0
        self._depth = 0
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None:
                unknown = position + len(text[position:]) - len(text[position:].lstrip())
                raise BadPath(f"has something unknown{self._place(unknown)}", hint=_quoting(text))
            kind = str(found.lastgroup)
            self._tokens.append((kind, found.group(kind), found.start(kind)))
            position = found.end()

    # -- paths -------------------------------------------------------------------------------------------------

    def pipeline(self) -> tuple[Step, ...]:
        """``.a | select(...) | .b``."""
        steps = self._stage()
        while self._take("|"):
            steps += self._stage()
        return steps

    def _stage(self) -> tuple[Step, ...]:
        kind, text, _ = self._next("a path")
        steps: tuple[Step, ...]
        if kind == "field":
            steps = (Key(text[1:]),)
        elif text == ".":
            steps = self._after_dot()
        elif text == "select":
            self._expect("(")
            steps = (Select(self._nested(self._condition)),)
        elif text == "(":
            steps = self._nested(self.pipeline)
        else:
            raise self._unexpected()
        return steps + self._postfixes()

    def _after_dot(self) -> tuple[Step, ...]:
        if self._peek()[0] == "string":
            return (Key(self._string()),)
        return ()

    def _postfixes(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            kind, text, _ = self._peek()
            if kind == "field":
                self._at += 1
                steps.append(Key(text[1:]))
            elif text == "." and self._peek(1)[0] == "string":
                self._at += 1
                steps.append(Key(self._string()))
            elif text == "[" or (text == "." and self._peek(1)[1] == "["):
                self._at += 1 if text == "[" else 2
                steps.append(self._bracket())
            elif text == "?":
                self._at += 1
            else:
                return tuple(steps)

    def _bracket(self) -> Step:
        kind, text, _ = self._peek()
        if text == "]":
            self._at += 1
            return Each()
        step: Step
        if kind == "string":
            step = Key(self._string())
        elif kind == "number" and "." not in text:
            self._at += 1
            step = Index(int(text))
        else:
            self._next("the end of a bracket")
            raise self._unexpected()
        self._expect("]")
        return step

    # -- conditions --------------------------------------------------------------------------------------------

    def _condition(self) -> Condition:
        left = self._either()
        while self._take("|"):
            left = Call("|", (left, self._either()))
        return left

    def _either(self) -> Condition:
        left = self._both()
        while self._take("or"):
            left = Call("or", (left, self._both()))
        return left

    def _both(self) -> Condition:
        left = self._comparison()
        while self._take("and"):
            left = Call("and", (left, self._comparison()))
        return left

    def _comparison(self) -> Condition:
        left = self._operand()
        for sign in ("==", "!="):
            if self._take(sign):
                return Call(sign, (left, self._operand()))
        return left

    def _operand(self) -> Condition:
        kind, text, _ = self._peek()
        if kind == "field" or text == ".":
            return self._value()
        if kind == "string":
            return Constant(self._string())
        self._next("a value")
        if kind == "number" or text in _LITERALS:
            return Constant(_LITERALS[text] if text in _LITERALS else json.loads(text))
        if text in _FUNCTIONS:
            return self._call(text)
        if text == "(":
            return self._nested(self._condition)
        return self._empty(text)

    def _empty(self, text: str) -> Condition:
        if text not in {"[", "{"}:
            raise self._unexpected()
        self._expect("]" if text == "[" else "}")
        return Constant([] if text == "[" else {})

    def _call(self, name: str) -> Condition:
        if not _FUNCTIONS[name]:
            return Call(name)
        self._expect("(")
        return Call(name, (self._nested(self._condition),))

    def _value(self) -> Condition:
        path: list[str | int] = []
        start = self._peek()[2]
        for step in self._stage():
            if isinstance(step, Key):
                path.append(step.name)
            elif isinstance(step, Index):
                path.append(step.number)
            else:
                message = f"has `[]` or `select` inside of a condition{self._place(start)}"
                raise BadPath(message, hint="a condition looks at one value")
        return Get(tuple(path))

    def _nested(self, inside: Callable[[], Inside]) -> Inside:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadPath(f"has more than {DEEPEST} parentheses inside of each other")
        result = inside()
        self._depth -= 1
        self._expect(")")
        return result

    # -- tokens ------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Nothing may follow."""
        if self._at < len(self._tokens):
            self._at += 1
            raise self._unexpected()

    def _peek(self, ahead: int = 0) -> tuple[str, str, int]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("", "", len(self._text))

    def _next(self, wanted: str) -> tuple[str, str, int]:
        token = self._peek()
        if not token[0]:
            raise BadPath(f"ends where {wanted} should be")
        self._at += 1
        return token

    def _take(self, text: str) -> bool:
        taken = self._peek()[0] in {"sign", "name"} and self._peek()[1] == text
        self._at += taken
        return taken

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise BadPath(f"should have `{text}`{self._place(self._peek()[2])}")

    def _string(self) -> str:
        _, text, start = self._next("a string")
        try:
            return str(json.loads(text))
        except ValueError:
            raise BadPath(f"has a string that is no JSON string{self._place(start)}") from None

    def _unexpected(self) -> BadPath:
        kind, text, start = self._tokens[self._at - 1]
        hint = _HINTS.get(text)
        if hint is None and kind == "name":
            hint = f"only paths are understood: names, [], [0], select(...) with ==, !=, and, or, {_KNOWN}"
        return BadPath(
            f"has `{text}`{self._place(start)}, which is not understood there",
            hint=hint or _quoting(self._text),
        )

    def _place(self, position: int) -> str:
        return f" at character {position + 1}"


_HINTS = {
    ",": "write one path for each",
    "..": "name the whole path: searching everywhere is not understood",
    "test": "regular expressions are not understood: startswith, endswith or contains",
    "match": "regular expressions are not understood: startswith, endswith or contains",
    ":": "slices are not understood: [] is every item, [0] one",
}


def _quoting(text: str) -> str | None:
    """People write keys with dots, slashes and dashes as if they were names."""
    return (
        'a key that is no plain name is quoted: .metadata.annotations["example.com/key"]'
        if "/" in text or "-" in text
        else None
    )
