"""CEL expressions of fleet.yaml: compiled, and bounded by what they can cost.

CEL cannot loop for ever, but comprehensions multiply, and the library can neither be interrupted nor counts its
steps. So the bound is on the form: the length of an expression, how many comprehensions it has and how deep they
nest. With a bound on the size of the object (``health.custom``) this bounds the time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fleetmgr.spec.cel_library import library

if TYPE_CHECKING:
    from cel import Program

LONGEST = 2_000
"""Characters of an expression."""
MOST_COMPREHENSIONS = 8
DEEPEST = 2
VARIABLES = frozenset({"self", "object"})
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(?:([A-Za-z_]\w*)\s*,)?")
_STRING = re.compile(r"'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_TOLD = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


class BadExpression(ValueError):
    """The expression is not CEL, or not one that may run."""

    def __init__(self, message: str, *, costly: bool = False) -> None:
        """``costly``: it is CEL and may take too long."""
        super().__init__(message)
        self.costly = costly


def compiled(expression: str) -> Program:
    """The program of ``expression``. Raises BadExpression."""
    if len(expression) > LONGEST:
        raise BadExpression(f"is longer than {LONGEST} characters", costly=True)
    macros, depth, bound = _comprehensions(expression)
    try:
        program: Program = library().compile(expression)
        names = frozenset(program.variables())
    except Exception as error:  # noqa: BLE001 - the library raises many kinds, all about the expression
        raise BadExpression(_reason(error)) from None
    if macros > MOST_COMPREHENSIONS or depth > DEEPEST:
        limits = f"at most {MOST_COMPREHENSIONS}, nested at most {DEEPEST} deep"
        raise BadExpression(
            f"has {macros} comprehensions (all, exists, exists_one, map, filter), nested {depth} deep: {limits}",
            costly=True,
        )
    unknown = sorted(names - VARIABLES - bound)
    if unknown:
        raise BadExpression(f"there is no variable `{unknown[0]}`; the object is `self`")
    return program


def nesting(expression: str) -> int:
    """How deep its comprehensions nest."""
    return _comprehensions(expression)[1]


def _comprehensions(expression: str) -> tuple[int, int, frozenset[str]]:
    """How many, how deep, and the names that they bind. Text in quotes is no code."""
    code = _STRING.sub(lambda found: " " * len(found.group()), expression)
    opened = {code.index("(", found.start()): found.group(1) for found in _MACRO.finditer(code)}
    stack: list[bool] = []
    depth = 0
    for position, character in enumerate(code):
        if character == "(":
            stack.append(position in opened)
            depth = max(depth, sum(stack))
        elif character == ")" and stack:
            stack.pop()
    return len(opened), depth, frozenset(name for name in opened.values() if name)


def _reason(error: Exception) -> str:
    found = _TOLD.search(str(error))
    if found is None:
        return str(error).splitlines()[0][:200]
    line, column, message = found.groups()
    at = f"character {column}" if line == "1" else f"line {line}, character {column}"
    return f"{message[:200]} (at {at} of the expression)"
