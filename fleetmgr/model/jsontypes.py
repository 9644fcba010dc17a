"""JSON as Python values: the bodies of Kubernetes objects are data that we do not own.

The only place where ``Any`` is let in; the guards below give the type checker something to hold.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeGuard

Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]
JsonArray: TypeAlias = list[Any]


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Whether ``value`` is a JSON object (its keys are strings by construction)."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[JsonArray]:
    """Whether ``value`` is a JSON array."""
    return isinstance(value, list)


def child(body: JsonObject, *path: str) -> Json:
    """The value at ``path`` through nested objects, or None where any part is missing."""
    value: Json = body
    for key in path:
        if not is_object(value):
            return None
        value = value.get(key)
    return value


def object_at(body: JsonObject, *path: str) -> JsonObject:
    """The object at ``path``, or an empty one: for reading only."""
    value = child(body, *path)
    return value if is_object(value) else {}


def array_at(body: JsonObject, *path: str) -> JsonArray:
    """The array at ``path``, or an empty one: for reading only."""
    value = child(body, *path)
    return value if is_array(value) else []
