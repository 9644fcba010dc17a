"""pydantic's findings in our words: what is wrong, what would be right, exactly where."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError

from fleetmgr.errors import Problem
from fleetmgr.spec.app import Source
from fleetmgr.spec.fields import PATTERNS
from fleetmgr.spec.overlay import SpecModel
from fleetmgr.spec.plain import Json, is_list, is_map
from fleetmgr.spec.suggest import suggest
from fleetmgr.spec.yaml_tree import Key, Place

UNKNOWN_FIELD = "FLT-1003"
WRONG_VALUE = "FLT-1004"
NOT_YET = "FLT-1005"

MOST = 500
"""Problems told of one document: positions are searched for each, and nobody reads more."""

Find = Callable[..., Place]

_DURATIONS = frozenset({"timeout", "soak", "deadline", "duration"})
_WANTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}


class _Finding(Struct, frozen=True):
    """A pydantic error with union tags taken out of its location."""

    kind: str
    path: tuple[Key, ...]
    model: type[SpecModel] | None
    context: dict[str, Any]
    message: str


def explain(
    error: ValidationError, *, model: type[SpecModel], data: Json, find: Find, version: str
) -> list[Problem]:
    """Problems for ``error``, in its order. ``find`` maps a path inside ``data`` to its node."""
    findings = list(_findings(error, model, data))
    blocked = [f.path[:-1] for f in findings if f.kind == "literal_error" and _type_not_yet(f, data)]
    shown = [f for f in findings if not any(_beside(f.path, b) for b in blocked)] if blocked else findings
    problems = [_problem(f, data=data, find=find, version=version) for f in shown[:MOST]]
    if len(shown) > MOST:
        message = f"and {len(shown) - MOST} more problems in this file"
        problems.append(
            replace(problems[-1], message=message, code=WRONG_VALUE, hint="mend the others first")
        )
    return list(dict.fromkeys(problems))


def _beside(path: tuple[Key, ...], source: tuple[Key, ...]) -> bool:
    """Whether ``path`` is a field beside a refused ``type``: one problem is enough for that source."""
    return path[: len(source)] == source and path != (*source, "type")


def not_yet(name: str, version: str) -> str:
    """The sentence for a field of the published shape that this version cannot obey."""
    return f"`{name}` is not yet supported by this version of fleetmgr ({version})"


def _findings(error: ValidationError, model: type[SpecModel], data: Json) -> Iterator[_Finding]:
    for line in error.errors(include_url=False):
        walked = _walk(model, line["loc"], data)
        if walked is not None:
            path, owner, union = walked
            if union is None:
                yield _Finding(line["type"], path, owner, line.get("ctx", {}), line["msg"])
            else:
                yield _Finding("union", path, owner, {"wanted": _wanted(union)}, line["msg"])


def _walk(
    model: type[SpecModel], loc: tuple[int | str, ...], data: Json
) -> tuple[tuple[Key, ...], type[SpecModel] | None, Any] | None:
    """Path without union tags, the model that holds its last part, and the union of which no branch fits.

    None when the finding is about a branch that the value does not mean.
    """
    annotation: Any = model
    owner: type[SpecModel] | None = None
    path: list[Key] = []
    value: Json = data
    for part in loc:
        annotation = _bare(annotation)
        if _is_union(annotation):
            branch = _branch(annotation, part)
            if not isinstance(value, (str, dict)):
                return tuple(path), owner, annotation
            if isinstance(value, str) != (branch is str):
                return None
            annotation = branch
            continue
        if part == "[key]":
            break
        owner = annotation if _is_model(annotation) else None
        annotation = _inner(annotation, part)
        path.append(part)
        value = _step(value, part)
    return tuple(path), owner, None


def _bare(annotation: Any) -> Any:
    """Without Annotated, TypeAlias and None."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if _is_union(annotation):
        members = [m for m in typing.get_args(annotation) if m is not type(None)]
        if len(members) == 1:
            return _bare(members[0])
    return annotation


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _branch(annotation: Any, tag: int | str) -> Any:
    """Every union of ours is a string or one other shape."""
    members = [_bare(m) for m in typing.get_args(annotation) if m is not type(None)]
    is_string = tag in ("str", "constrained-str")
    return next((m for m in members if (m is str) == is_string), members[0])


def _wanted(union: Any) -> str:
    """``a whole number or a percentage such as 10%``: every branch in words."""
    words: list[str] = []
    for member in typing.get_args(union):
        bare = _bare(member)
        if typing.get_origin(bare) is typing.Literal:
            words += [f"`{value}`" for value in typing.get_args(bare)]
        elif bare is str:
            patterns = [p for m in getattr(member, "__metadata__", ()) for p in _patterns(m)]
            meaning = PATTERNS.get(patterns[0], "") if patterns else ""
            words.append(meaning if meaning and ":" not in meaning else "a string")
        elif bare is not type(None):
            words.append({bool: "true or false", int: "a whole number"}.get(bare, "a map"))
    return " or ".join(dict.fromkeys(words))


def _patterns(field: Any) -> list[str]:
    return [m.pattern for m in getattr(field, "metadata", ()) if getattr(m, "pattern", None)]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, SpecModel)


def _inner(annotation: Any, part: int | str) -> Any:
    if _is_model(annotation):
        return next((f.annotation for f in annotation.model_fields.values() if f.alias == part), None)
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if arguments else None


def _step(value: Json, part: int | str) -> Json:
    if is_map(value):
        return value.get(str(part))
    if is_list(value) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _value(data: Json, path: tuple[Key, ...]) -> Json:
    for part in path:
        data = _step(data, part)
    return data


def _type_not_yet(finding: _Finding, data: Json) -> bool:
    return finding.model is Source and _value(data, finding.path) in Source.NOT_YET_TYPES


def _problem(finding: _Finding, *, data: Json, find: Find, version: str) -> Problem:
    name = str(finding.path[-1]) if finding.path else ""
    place = find(*finding.path)
    match finding.kind:
        case "extra_forbidden":
            return _unknown_field(finding, name, find(*finding.path[:-1]).key(name), version)
        case "missing":
            return _missing(finding, name, find(*finding.path[:-1]))
        case "literal_error":
            return _literal(finding, place, _value(data, finding.path), version)
        case "union":
            return place.problem(
                f"`{_label(finding.path)}` must be {finding.context['wanted']}", code=WRONG_VALUE
            )
        case kind if kind in _WANTED:
            return _wrong_type(finding, place, _value(data, finding.path))
        case _:
            return place.problem(f"`{_label(finding.path)}` {_limit(finding)}", code=WRONG_VALUE)


def _unknown_field(finding: _Finding, name: str, place: Place, version: str) -> Problem:
    model = finding.model or SpecModel
    if name in model.NOT_YET:
        return place.problem(not_yet(name, version), code=NOT_YET, hint="leave it out")
    fields = [f.alias or n for n, f in model.model_fields.items()]
    hint = suggest(name, fields, what="fields here")
    return place.problem(f"unknown field `{name[:80]}`", code=UNKNOWN_FIELD, hint=hint)


def _missing(finding: _Finding, name: str, place: Place) -> Problem:
    fields = finding.model.model_fields.values() if finding.model else ()
    hint = next((f.description for f in fields if f.alias == name), None)
    return place.problem(f"`{name}` is missing", code=WRONG_VALUE, hint=hint)


def _literal(finding: _Finding, place: Place, value: Json, version: str) -> Problem:
    name = str(finding.path[-1])
    if _type_not_yet_value(finding, value):
        return place.problem(not_yet(f"{name}: {value}", version), code=NOT_YET, hint="use type: manifests")
    expected = str(finding.context.get("expected", "")).replace("'", "`")
    return place.problem(f"`{name}` must be {expected}", code=WRONG_VALUE)


def _type_not_yet_value(finding: _Finding, value: Json) -> bool:
    return finding.model is Source and isinstance(value, str) and value in Source.NOT_YET_TYPES


def _wrong_type(finding: _Finding, place: Place, value: Json) -> Problem:
    name, wanted = _label(finding.path), _WANTED[finding.kind]
    message = f"`{name}` must be {wanted}, not {_kind(value)}"
    hint = "write 30s, 10m or 1h30m" if name in _DURATIONS else _advice(finding.kind, place, value)
    return place.problem(message, code=WRONG_VALUE, hint=hint)


def _advice(kind: str, place: Place, value: Json) -> str | None:
    """What to write instead, where that is plain."""
    text = place.node.value if isinstance(place.node, yaml.ScalarNode) else ""
    if value is None:
        return "give it a value or leave it out"
    if kind == "string_type" and isinstance(value, (bool, int, float)) and len(text) < 80:  # noqa: PLR2004 - a line
        return f'quote it: "{text}"'
    if kind == "tuple_type" and isinstance(value, str) and len(text) < 80:  # noqa: PLR2004 - a line
        return f"write [{text}]"
    if kind in ("int_type", "bool_type") and isinstance(value, str):
        return "write it without quotes" if text.isdigit() or text in ("true", "false") else None
    return None


def _limit(finding: _Finding) -> str:
    context = finding.context
    match finding.kind:
        case "string_pattern_mismatch":
            return f"must be {PATTERNS.get(context['pattern'], 'of the form ' + context['pattern'])}"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must be at most {context['max_length']} characters"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case _:
            return f"is wrong: {finding.message}"


def _label(path: tuple[Key, ...]) -> str:
    """``web`` under ``replicas`` -> ``replicas.web``; list items as ``include[0]``."""
    if not path:
        return "the file"
    last = path[-1]
    if isinstance(last, int):
        listed = "" if len(path) == 1 else str(path[-2])
        return f"item of {listed}" if len(path) == 2 else f"{listed}[{last}]"  # noqa: PLR2004 - a list of Fleet
    maps = ("images", "replicas", "labels", "annotations", "select", "overlays", "exceptions")
    return f"{path[-2]}.{last}" if len(path) > 1 and path[-2] in maps else last


def _kind(value: Json) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "a map"
