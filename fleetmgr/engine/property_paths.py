"""Pulumi's property paths for the fields of an object that are left alone (``ignoreChanges``).

The engine sets an ignored field of the inputs to what the refreshed state holds
(pkg/resource/deploy/step_generator.go, ``processIgnoreChanges``), and the provider stops sending it while only others
hold it (pulumi-kubernetes provider/pkg/await/await.go, ``handleSSAIgnoreFields``). Both find it by its place: an item
of a list would be another one as soon as the list is reordered, so no path leads into a list here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fleetmgr.engine.conditions import holds
from fleetmgr.engine.ignored import Ignored
from fleetmgr.model.jsontypes import Json, is_array, is_object
from fleetmgr.spec.path_steps import Each, FieldPath, Key, Segment, Select, Step

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def property_path(keys: Iterable[str]) -> str:
    """``spec.template`` or ``metadata.annotations["a.b/c"]`` (sdk/go/common/resource/properties_path.go)."""
    text = ""
    for key in keys:
        if _PLAIN.fullmatch(key):
            text += f".{key}" if text else key
        else:
            escaped = key.replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def left_alone(ignoring: Ignored, desired: Json) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The property paths for what is ignored of an object, and what of it no property path can say."""
    paths: dict[str, None] = {}
    beyond: dict[str, None] = dict.fromkeys(f"fields of `{manager}`" for manager in ignoring.managers)
    for path in ignoring.paths:
        plain = _plain(path)
        if plain is not None and not _through_list(plain, desired):
            paths[property_path(plain)] = None
            continue
        for place in _places(path.steps, desired, ()):
            if all(isinstance(part, str) for part in place):
                paths[property_path(str(part) for part in place)] = None
            else:
                beyond[f"`{path.text}`"] = None
    return tuple(sorted(paths)), tuple(beyond)


def _plain(path: FieldPath) -> tuple[str, ...] | None:
    """The keys of a path that leads to one place whatever the object holds; None for other paths."""
    keys: list[str] = []
    for step in path.steps:
        match step:
            case Key():
                keys.append(step.name)
            case Segment():
                keys.append(step.text)
            case _:
                return None
    return tuple(keys)


def _through_list(keys: tuple[str, ...], body: Json) -> bool:
    for key in keys:
        if is_array(body):
            return True
        body = body.get(key) if is_object(body) else None
    return False


def _places(
    steps: tuple[Step, ...], body: Json, before: tuple[str | int, ...]
) -> Iterator[tuple[str | int, ...]]:
    """Where a path leads in ``body``. A list is one place, told by its first item: nothing is said inside of it."""
    if not steps:
        yield before
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, Select):
        if holds(step.condition, body):
            yield from _places(rest, body, before)
    elif is_array(body):
        if body:
            yield (*before, 0)
    elif is_object(body):
        for name in _names(step, body):
            yield from _places(rest, body[name], (*before, name))


def _names(step: Step, body: dict[str, Json]) -> list[str]:
    match step:
        case Key():
            return [step.name] if step.name in body else []
        case Segment():
            return [step.text] if step.text in body else []
        case Each():
            return list(body)
        case _:
            return []
