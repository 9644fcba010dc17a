"""What an API server will say of a custom resource whose CRD it does not know yet: checked against the CRD's own
structural schema, with defaults filled in.

Server-side apply is strict: a field that the schema does not declare is refused, not pruned. Formats and CEL rules
(``x-kubernetes-validations``) are not judged here, so what passes is still to be called unverified. Words are the
server's (apiextensions-apiserver ``validation``, structured-merge-diff).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from msgspec import Struct

from fleetmgr.model.jsontypes import (
    Json,
    JsonArray,
    JsonObject,
    array_at,
    child,
    is_array,
    is_object,
    object_at,
)

_OF_EVERY_OBJECT = frozenset({"apiVersion", "kind", "metadata"})
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"


class Simulated(Struct, frozen=True, kw_only=True):
    """``body`` with the schema's defaults; ``problems`` for which the server will refuse it."""

    body: JsonObject
    problems: tuple[str, ...] = ()


def schema_of(definition: JsonObject, version: str) -> JsonObject | None:
    """The schema of one version that a CustomResourceDefinition serves; None when it does not serve it."""
    for served in array_at(definition, "spec", "versions"):
        if is_object(served) and served.get("name") == version and served.get("served"):
            return object_at(served, "schema", "openAPIV3Schema")
    return None


def simulate(schema: JsonObject, body: JsonObject) -> Simulated:
    """Judge ``body`` by the structural ``schema`` of its version."""
    content = {k: v for k, v in body.items() if k not in _OF_EVERY_OBJECT}
    known = {k: v for k, v in object_at(schema, "properties").items() if k not in _OF_EVERY_OBJECT}
    own = {**schema, "properties": known}
    filled = _defaulted(own, content)
    required = [name for name in array_at(schema, "required") if name not in _OF_EVERY_OBJECT]
    problems = tuple(_problems({**own, "required": required}, filled, ""))
    return Simulated(
        body={**{k: body[k] for k in body if k in _OF_EVERY_OBJECT}, **filled}, problems=problems
    )


def _defaulted(schema: JsonObject, value: Json) -> Json:
    """As the server defaults: a missing field, or a null that may not be one, gets its default; then its inside."""
    if is_object(value):
        properties = object_at(schema, "properties")
        result = {k: v for k, v in value.items() if not (v is None and "default" in object_at(properties, k))}
        for name, inner in properties.items():
            if name not in result and is_object(inner) and "default" in inner:
                result[name] = inner["default"]
        others = object_at(schema, "additionalProperties")
        return {k: _defaulted(object_at(properties, k) or others, v) for k, v in result.items()}
    if is_array(value):
        return [_defaulted(object_at(schema, "items"), item) for item in value]
    return value


def _problems(schema: JsonObject, value: Json, path: str) -> Iterator[str]:
    if value is None and schema.get("nullable"):
        return
    wrong = _wrong_type(schema, value)
    if wrong:
        yield f"{_named(path)}: {wrong}"
        return
    yield from (f"{_named(path)}: {problem}" for problem in _of_value(schema, value))
    yield from (f"{_named(path)}: {problem}" for problem in _of_alternatives(schema, value))
    if is_object(value):
        yield from _of_object(schema, value, path)
    elif is_array(value):
        for index, item in enumerate(value):
            yield from _problems(object_at(schema, "items"), item, f"{path}[{index}]")


def _named(path: str) -> str:
    return path or "the object"


def _type_of(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if float(value).is_integer() else "number"
    if is_object(value):
        return "object"
    return "array" if is_array(value) else "string"


def _wrong_type(schema: JsonObject, value: Json) -> str:
    found = _type_of(value)
    if schema.get(_INT_OR_STRING):
        return "" if found in {"integer", "string"} else f"must be of type integer,string: {found}"
    wanted = schema.get("type")
    if not wanted or found == wanted or (wanted == "number" and found == "integer"):
        return ""
    return f"must be of type {wanted}: {found}"


def _of_object(schema: JsonObject, value: JsonObject, path: str) -> Iterator[str]:
    properties = object_at(schema, "properties")
    others = schema.get("additionalProperties")
    free = (
        schema.get(_PRESERVE) or others is True or not schema or schema.get("x-kubernetes-embedded-resource")
    )
    yield from (
        f"{_below(path, name)}: Required value" for name in array_at(schema, "required") if name not in value
    )
    for name, inner in value.items():
        below = _below(path, name)
        if name in properties:
            yield from _problems(object_at(properties, name), inner, below)
        elif is_object(others):
            yield from _problems(others, inner, below)
        elif not free:
            yield f"{below}: field not declared in schema"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _of_value(schema: JsonObject, value: Json) -> Iterator[str]:
    allowed = schema.get("enum")
    if is_array(allowed) and value not in allowed:
        yield f"Unsupported value: {value!r}: supported values: {', '.join(map(repr, allowed))}"
    if isinstance(value, str):
        yield from _of_text(schema, value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _of_number(schema, value)
    elif is_array(value):
        yield from _of_size(schema, len(value), "Items")
    elif is_object(value):
        yield from _of_size(schema, len(value), "Properties")


def _of_text(schema: JsonObject, value: str) -> Iterator[str]:
    yield from _of_size(schema, len(value), "Length")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _matches(pattern, value):
        yield f"should match '{pattern}'"


def _matches(pattern: str, value: str) -> bool:
    """Go's regular expressions are not Python's: a pattern that only Go understands is not judged."""
    try:
        return re.search(re.sub(r"\\z", r"\\Z", pattern), value) is not None
    except re.error:
        return True


def _of_size(schema: JsonObject, size: int, what: str) -> Iterator[str]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if isinstance(most, int) and size > most:
        yield f"{what.lower()}: {size}, must be at most {most}"
    if isinstance(least, int) and size < least:
        yield f"{what.lower()}: {size}, must be at least {least}"


def _of_number(schema: JsonObject, value: float) -> Iterator[str]:
    least, most, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if isinstance(most, (int, float)) and (
        value > most or (schema.get("exclusiveMaximum") and value == most)
    ):
        yield f"{value} should be less than {'' if schema.get('exclusiveMaximum') else 'or equal to '}{most}"
    if isinstance(least, (int, float)) and (
        value < least or (schema.get("exclusiveMinimum") and value == least)
    ):
        yield f"{value} should be greater than {'' if schema.get('exclusiveMinimum') else 'or equal to '}{least}"
    if isinstance(step, (int, float)) and step and not math.isclose(value / step, round(value / step)):
        yield f"{value} should be a multiple of {step}"


def _of_alternatives(schema: JsonObject, value: Json) -> Iterator[str]:
    """``allOf``, ``anyOf``, ``oneOf`` and ``not``: they say nothing of types and unknown fields (structural)."""
    for inner in _schemas(schema, "allOf"):
        yield from (p.partition(": ")[2] or p for p in _problems(_open(inner), value, ""))
    some = _schemas(schema, "anyOf")
    if some and not any(_fits(inner, value) for inner in some):
        yield "must validate at least one schema (anyOf)"
    one = _schemas(schema, "oneOf")
    if one and sum(_fits(inner, value) for inner in one) != 1:
        yield "must validate one and only one schema (oneOf)"
    against = child(schema, "not")
    if is_object(against) and _fits(against, value):
        yield "must not validate the schema (not)"


def _schemas(schema: JsonObject, key: str) -> JsonArray:
    return [inner for inner in array_at(schema, key) if is_object(inner)]


def _fits(schema: JsonObject, value: Json) -> bool:
    return next(_problems(_open(schema), value, ""), None) is None


def _open(schema: JsonObject) -> JsonObject:
    """Inside alternatives fields that are not named are free."""
    opened: JsonObject = {**schema, _PRESERVE: True}
    if "properties" in schema:
        opened["properties"] = {
            k: _open(v) for k, v in object_at(schema, "properties").items() if is_object(v)
        }
    return opened
