"""JSON bytes -> documents: one value, or several in a row, as ``kubectl`` reads them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from fleetmgr.errors import InvalidInput, Problem, Where
from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object
from fleetmgr.rendering.documents import BROKEN, DUPLICATE_KEY, NOT_JSON, Document, PathPart, Slot
from fleetmgr.rendering.scalars import json_number
from fleetmgr.rendering.yaml_reader import read_yaml
from fleetmgr.spec.yaml_guard import MANIFEST_LIMITS

_MAX_DEPTH = MANIFEST_LIMITS.depth


class _JsonFault(ValueError):
    """What the standard decoder accepts and JSON does not have, or a duplicate key."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def _unique(pairs: list[tuple[str, Json]]) -> JsonObject:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _JsonFault(f"key `{twice}` is given twice in one object", DUPLICATE_KEY)
    return result


def _constant(text: str) -> Json:
    raise _JsonFault(f"`{text}` has no JSON form", NOT_JSON)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def read_json(content: bytes, *, name: str) -> tuple[Document, ...]:
    """One object or several in a row, as ``kubectl`` reads them."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _json_problem("not UTF-8", name, BROKEN) from None
    documents: list[Document] = []
    position = _skip_space(text, 0)
    while position < len(text):
        if len(documents) >= MANIFEST_LIMITS.documents:
            raise _json_problem(f"more than {MANIFEST_LIMITS.documents} documents", name, BROKEN)
        value, end = _decode(text, position, content, name)
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        slots: list[Slot] = []
        value = _plain_json(value, [], slots, (line, column), name)
        document = Document(index=len(documents), value=value, line=line, column=column, slots=tuple(slots))
        documents.append(document)
        position = _skip_space(text, end)
    return tuple(documents)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _decode(text: str, position: int, content: bytes, name: str) -> tuple[Json, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise _json_problem(
            f"not valid JSON: {error.msg}", name, BROKEN, (error.lineno, error.colno)
        ) from None
    except _JsonFault as fault:
        _report_with_lines(content, name)
        raise _json_problem(fault.message, name, fault.code) from None
    except (RecursionError, ValueError):
        raise _json_problem("nested too deep, or a number too long", name, BROKEN) from None


def _report_with_lines(content: bytes, name: str) -> None:
    """JSON is nearly YAML: the YAML reader knows the lines of duplicate keys."""
    try:
        read_yaml(content, name=name)
    except InvalidInput as error:
        if any(problem.code == DUPLICATE_KEY for problem in error.problems):
            raise


def _json_problem(message: str, name: str, code: str, at: tuple[int, int] = (1, 1)) -> InvalidInput:
    where = Where(file=name, line=at[0], column=at[1])
    return InvalidInput((Problem(message=message, where=where, code=code),))


def _plain_json(value: Json, path: list[PathPart], slots: list[Slot], at: tuple[int, int], name: str) -> Json:
    """Numbers as Go's decoder has them, strings with ``${`` noted."""
    if len(path) > _MAX_DEPTH:
        raise _json_problem(f"nested more than {_MAX_DEPTH} levels deep", name, BROKEN, at)
    if isinstance(value, str):
        _check_text(value, at, name)
        if "${" in value:
            slots.append(Slot(path=tuple(path), text=value, plain=False, line=at[0], column=at[1]))
        return value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return _number(value, at, name)
    for key, item in _items(value):
        if isinstance(key, str):
            _check_text(key, at, name)
        path.append(key)
        value[key] = _plain_json(item, path, slots, at, name)
        path.pop()
    return value


def _number(value: float, at: tuple[int, int], name: str) -> int | float:
    if isinstance(value, float) and not math.isfinite(value):
        raise _json_problem("a number is too large for 64 bits", name, NOT_JSON, at)
    try:
        return json_number(value)
    except OverflowError:
        raise _json_problem("a number is too large for 64 bits", name, NOT_JSON, at) from None


def _check_text(text: str, at: tuple[int, int], name: str) -> None:
    """Half a surrogate pair (``"\\ud800"``) passes the decoder and cannot be sent to any server."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _json_problem("a string holds half of a surrogate pair", name, NOT_JSON, at)


def _items(value: Json) -> Iterator[tuple[PathPart, Json]]:
    if is_object(value):
        yield from list(value.items())
    elif is_array(value):
        yield from enumerate(value)
