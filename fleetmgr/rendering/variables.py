"""``${root.path}`` in the strings of manifests.

Roots are cluster, environment, app, fleet and vars. An unquoted scalar that is nothing but one variable
takes the variable's type; everywhere else the value becomes text (null: nothing). ``$${x}`` is the literal
``${x}``: of two or more dollars before a brace one is dropped. Anything else that looks like a variable is
an error, because an undefined variable that quietly stays reaches a cluster. Keys are never touched.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache

import orjson
from msgspec import Struct

from fleetmgr.errors import Problem, Where
from fleetmgr.model.jsontypes import Json, JsonObject, child, is_array, is_object
from fleetmgr.model.objects import Origin
from fleetmgr.rendering.documents import PathPart, Slot

UNDEFINED = "FLT-1307"
NOT_TEXT = "FLT-1308"
DISABLE_ANNOTATION = "fleetmgr.dev/substitute"

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_KEEP = (
    "write `$${...}` to keep it, or set `substitute: false` on the source, "
    f"or the annotation `{DISABLE_ANNOTATION}: disabled` on the object"
)
_LISTED = 5
_MISSING = object()


class _Variable(Struct, frozen=True):
    expression: str


class Resolved(Struct, frozen=True):
    """Values of an object's slots in order, or what is wrong with them."""

    values: tuple[Json, ...]
    problems: tuple[Problem, ...]


def disabled(body: JsonObject) -> bool:
    """Whether the object asks to be left alone."""
    return child(body, "metadata", "annotations", DISABLE_ANNOTATION) == "disabled"


def resolve_slots(
    slots: tuple[Slot, ...], variables: Mapping[str, Json], *, origin: Origin, secret: bool, cluster: str
) -> Resolved:
    """The text or value of each slot; ``secret`` keeps what is written out of messages."""
    values: list[Json] = []
    problems: list[Problem] = []
    for slot in slots:
        try:
            values.append(_fill(slot, variables))
        except _Fault as fault:
            where = Where(
                file=origin.where().file,
                line=slot.line,
                column=slot.column,
                cluster=cluster,
                field=None if secret else _shown(slot.path),
            )
            message, hint = fault.told(secret=secret)
            problems.append(Problem(message=message, where=where, hint=hint, code=fault.code))
            values.append(None)
    return Resolved(tuple(values), tuple(problems))


def substitute(body: JsonObject, slots: tuple[Slot, ...], values: tuple[Json, ...]) -> JsonObject:
    """A copy of ``body`` with the slots filled; only what lies on their paths is copied."""
    result: JsonObject = dict(body)
    copied: dict[tuple[PathPart, ...], Json] = {(): result}
    for slot, value in zip(slots, values, strict=True):
        node: Json = result
        for depth, part in enumerate(slot.path[:-1], 1):
            prefix = slot.path[:depth]
            inner = copied.get(prefix)
            if inner is None:
                old = node[part]
                inner = dict(old) if is_object(old) else list(old)
                copied[prefix] = node[part] = inner
            node = inner
        node[slot.path[-1]] = value
    return result


class _Fault(Exception):
    """One variable that cannot be filled in. ``expression`` may be part of a Secret."""

    def __init__(self, expression: str, reason: str, hint: str, code: str) -> None:
        super().__init__(reason)
        self.expression = expression
        self.reason = reason
        self.hint = hint
        self.code = code

    def told(self, *, secret: bool) -> tuple[str, str]:
        """(message, hint)."""
        if secret:
            return f"a value of this Secret holds a variable that {self.reason}", _KEEP
        return f"`${{{self.expression}}}` {self.reason}", self.hint


def _fill(slot: Slot, variables: Mapping[str, Json]) -> Json:
    parts = _compile(slot.text)
    if slot.plain and len(parts) == 1 and isinstance(parts[0], _Variable):
        return _lookup(parts[0].expression, variables)
    return "".join(p if isinstance(p, str) else _text(p.expression, variables) for p in parts)


@lru_cache(maxsize=16384)
def _compile(text: str) -> tuple[str | _Variable, ...]:
    parts: list[str | _Variable] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts.append(text[end : match.start()])
        parts.append("${" if match[1] is None else _Variable(match[1]))
        end = match.end()
    parts.append(text[end:])
    return tuple(part for part in parts if part != "")


def _text(expression: str, variables: Mapping[str, Json]) -> str:
    value = _lookup(expression, variables)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if is_object(value) or is_array(value):
        reason = "is a list or a mapping and cannot be part of a text"
        raise _Fault(expression, reason, "let it be the whole, unquoted value", NOT_TEXT)
    return orjson.dumps(value).decode()


def _lookup(expression: str, variables: Mapping[str, Json]) -> Json:
    parts = expression.strip().split(".")
    value: Json = variables
    if len(parts) > 1:
        value = _descend(variables, parts)
        if value is not _MISSING:
            return value
    raise _Fault(expression, "is not defined", _instead(expression.strip(), variables), UNDEFINED)


def _instead(expression: str, variables: Mapping[str, Json]) -> str:
    """What may have been meant: a value of a like name, never a mapping of values (`${vars}`)."""
    names = [name for name in _names(variables) if not is_object(_descend(variables, name.split(".")))]
    near = difflib.get_close_matches(expression, names, n=1, cutoff=0.7)
    if near:
        return f"did you mean `${{{near[0]}}}`? Otherwise {_KEEP}"
    root = expression.rpartition(".")[0]
    known = sorted(name for name in names if root and name.startswith(f"{root}."))[:_LISTED]
    listed = ", ".join(f"`${{{name}}}`" for name in known)
    return f"defined there: {listed}. Otherwise {_KEEP}" if known else _KEEP


def _descend(value: Json, parts: list[str]) -> Json:
    """Follows ``parts``; a key may hold dots itself (``cluster.labels.topology.kubernetes.io/zone``)."""
    if not parts:
        return value
    if not isinstance(value, Mapping):
        return _MISSING
    for count in range(1, len(parts) + 1):
        key = ".".join(parts[:count])
        if key in value:
            found = _descend(value[key], parts[count:])
            if found is not _MISSING:
                return found
    return _MISSING


def _names(variables: Mapping[str, Json], prefix: str = "") -> list[str]:
    names: list[str] = []
    for key, value in variables.items():
        names.append(f"{prefix}{key}")
        if is_object(value):
            names += _names(value, f"{prefix}{key}.")
    return names


def _shown(path: tuple[PathPart, ...]) -> str:
    shown = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return shown.removeprefix(".")
