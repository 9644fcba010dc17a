"""What the condition of a ``select`` means for a value. Linear in both; nothing in it can loop or fail."""

from __future__ import annotations

from fleetmgr.engine.compare import same
from fleetmgr.model.jsontypes import Json, is_array, is_object
from fleetmgr.spec.path_steps import Call, Condition, Constant, Get


def holds(condition: Condition, value: Json) -> bool:
    """Whether a condition is true of ``value``: everything but false and null is true, as in jq."""
    return _truth(_evaluate(condition, value))


def _truth(value: Json) -> bool:
    return value is not None and value is not False


def _evaluate(condition: Condition, value: Json) -> Json:
    match condition:
        case Constant():
            return condition.value
        case Get():
            return _get(condition.path, value)
        case Call():
            return _call(condition, value)


def _get(path: tuple[str | int, ...], value: Json) -> Json:
    for part in path:
        if isinstance(part, str):
            value = value.get(part) if is_object(value) else None
        else:
            value = value[part] if is_array(value) and -len(value) <= part < len(value) else None
    return value


def _call(call: Call, value: Json) -> Json:
    arguments = call.arguments
    if call.name == "|":
        return _evaluate(arguments[1], _evaluate(arguments[0], value))
    if call.name == "not":
        return not _truth(value)
    first = _evaluate(arguments[0], value)
    if call.name == "and":
        return _truth(first) and holds(arguments[1], value)
    if call.name == "or":
        return _truth(first) or holds(arguments[1], value)
    if call.name in {"==", "!="}:
        return same(first, _evaluate(arguments[1], value)) is (call.name == "==")
    return _function(call.name, value, first)


def _function(name: str, value: Json, argument: Json) -> bool:
    """Of a value or an argument that has not the right type nothing is true (jq would end with an error)."""
    if name == "has":
        return argument in value if is_object(value) and isinstance(argument, str) else False
    if not isinstance(value, str) or not isinstance(argument, str):
        return False
    if name == "startswith":
        return value.startswith(argument)
    return value.endswith(argument) if name == "endswith" else argument in value
