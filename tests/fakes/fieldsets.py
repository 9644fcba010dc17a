"""Field sets as server-side apply keeps them (structured-merge-diff), for the fake cluster.

A path is a tuple of fieldsV1 elements (``f:spec``, ``k:{"name":"web"}``, ``v:"x"``); a set of paths is what one
manager owns. The schema is a table of the lists that Kubernetes merges by key; every other list is atomic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from fleetmgr.model.jsontypes import Json, JsonObject, is_array, is_object, object_at

Path = tuple[str, ...]
Fields = frozenset[Path]

_KEYED: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "ownerReferences": ("uid",),
    "conditions": ("type",),
}
_ATOMIC_MAPS = (
    "selector",
    "nodeSelector",
    "labelSelector",
    "matchLabels",
    "podSelector",
    "namespaceSelector",
)
_SETS = ("finalizers",)
_DEFAULT_KEYS = {"protocol": "TCP"}
_SERVER_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
)
_BUILT_IN_GROUPS = ("", "apps", "batch", "autoscaling", "policy", "extensions")


def list_keys(path: Path, item: Json, *, custom: bool) -> tuple[str, ...]:
    """By which keys the list at ``path`` is merged; () = the list is atomic."""
    field = path[-1].removeprefix("f:")
    if field == "ownerReferences":
        return ("uid",)
    if custom:
        return ()
    if field == "ports" and is_object(item):
        if path[:2] == ("f:spec", "f:ports") and len(path) == 2 and "port" in item:
            return ("port", "protocol")
        return ("containerPort", "protocol") if "containerPort" in item else ()
    return _KEYED.get(field, ())


def is_custom(body: JsonObject) -> bool:
    """Whether the object's lists are atomic because we know no schema (custom resources)."""
    group = str(body.get("apiVersion", "")).rpartition("/")[0]
    return group not in _BUILT_IN_GROUPS and not group.endswith(".k8s.io")


def key_of(item: JsonObject, keys: tuple[str, ...]) -> str:
    """``k:{"name":"web"}``."""
    values = {key: item.get(key, _DEFAULT_KEYS.get(key)) for key in keys}
    return "k:" + orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


def fields_of(body: JsonObject) -> Fields:
    """The paths that applying ``body`` claims."""
    found: set[Path] = set()
    custom = is_custom(body)
    for name, value in body.items():
        if name == "metadata":
            ours = {key: inner for key, inner in object_at(body, name).items() if key not in _SERVER_METADATA}
            if ours:
                _collect(ours, ("f:metadata",), found, custom=custom)
        elif name not in {"apiVersion", "kind"}:
            _collect(value, (f"f:{name}",), found, custom=custom)
    return frozenset(found)


def _collect(value: Json, path: Path, found: set[Path], *, custom: bool) -> None:
    name = path[-1].removeprefix("f:")
    if is_object(value) and value and (custom or name not in _ATOMIC_MAPS):
        for key, inner in value.items():
            _collect(inner, (*path, f"f:{key}"), found, custom=custom)
        return
    if is_array(value) and value:
        if name in _SETS and path[0] == "f:metadata":
            found.update((*path, f"v:{orjson.dumps(item).decode()}") for item in value)
            return
        keys = list_keys(path, value[0], custom=custom)
        if keys:
            for item in value:
                inside = (*path, key_of(item, keys))
                found.add(inside)
                for key, inner in item.items():
                    _collect(inner, (*inside, f"f:{key}"), found, custom=custom)
            return
    found.add(path)


def value_at(body: Json, path: Path) -> tuple[bool, Json]:
    """Whether something is at ``path``, and what."""
    value = body
    for element in path:
        kind, text = element[:1], element[2:]
        if kind == "f":
            if not is_object(value) or text not in value:
                return False, None
            value = value[text]
        else:
            matches = [item for item in value if _matches(item, element)] if is_array(value) else []
            if not matches:
                return False, None
            value = matches[0]
    return True, value


def _matches(item: Json, element: str) -> bool:
    wanted: Json = orjson.loads(element[2:])
    if element.startswith("v:"):
        return bool(item == wanted)
    return is_object(item) and key_of(item, tuple(wanted)) == element


def is_item(path: Path) -> bool:
    """Whether ``path`` is a list item as such, which has no value of its own to disagree about."""
    return path[-1].startswith("k:")


def merged(live: JsonObject, applied: JsonObject) -> JsonObject:
    """``live`` with every field of ``applied``."""
    result: JsonObject = _merge(live, applied, (), custom=is_custom(applied))
    return result


def _merge(live: Json, applied: Json, path: Path, *, custom: bool) -> Json:
    name = path[-1].removeprefix("f:") if path else ""
    if is_object(live) and is_object(applied) and (custom or name not in _ATOMIC_MAPS):
        result = dict(live)
        for key, inner in applied.items():
            result[key] = _merge(live.get(key), inner, (*path, f"f:{key}"), custom=custom)
        return result
    if is_array(live) and is_array(applied) and applied:
        if name in _SETS:
            return [*live, *(item for item in applied if item not in live)]
        keys = list_keys(path, applied[0], custom=custom)
        if keys:
            return _merge_items(live, applied, path, keys)
    return applied


def _merge_items(live: list[Any], applied: list[Any], path: Path, keys: tuple[str, ...]) -> list[Any]:
    """The applied order wins; items that only ``live`` has keep their place before the next one."""
    theirs = {key_of(item, keys): item for item in live}
    ours = {key_of(item, keys): item for item in applied}
    result: dict[str, Any] = {}
    left, right = list(theirs), list(ours)
    while left or right:
        if left and (left[0] not in ours or left[0] in result):
            key = left.pop(0)
            result.setdefault(key, theirs[key])
        elif right:
            key = right.pop(0)
            result[key] = (
                _merge(theirs[key], ours[key], (*path, key), custom=False) if key in theirs else ours[key]
            )
    return list(result.values())


def without(body: JsonObject, paths: Iterable[Path], kept: Fields) -> None:
    """Remove ``paths`` from ``body`` in place, except what ``kept`` still holds (under them)."""
    for path in sorted(paths, key=len, reverse=True):
        held = any(other[: len(path)] == path for other in kept)
        is_key_field = (
            len(path) > 1 and path[-2].startswith("k:") and path[-1][2:] in orjson.loads(path[-2][2:])
        )
        if held or (is_key_field and value_at(body, path[:-1])[0]):
            continue
        _remove(body, path, kept)


def _remove(body: JsonObject, path: Path, kept: Fields) -> None:
    found, parent = value_at(body, path[:-1])
    if not found:
        return
    if path[-1].startswith("f:") and is_object(parent):
        parent.pop(path[-1][2:], None)
    elif is_array(parent):
        parent[:] = [item for item in parent if not _matches(item, path[-1])]
    if not parent and len(path) > 1 and path[:-1] not in kept:
        _remove(body, path[:-1], kept)


def to_v1(fields: Fields) -> JsonObject:
    """A field set as ``fieldsV1``."""
    tree: JsonObject = {}
    for path in sorted(fields):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        if is_item(path):
            node["."] = {}
    return tree


def from_v1(tree: JsonObject, prefix: Path = ()) -> Fields:
    """``fieldsV1`` as a field set."""
    found: set[Path] = set()
    for element, inner in tree.items():
        if element == ".":
            found.add(prefix)
        elif inner:
            found |= from_v1(inner, (*prefix, element))
        else:
            found.add((*prefix, element))
    return frozenset(found)


def shown(path: Path) -> str:
    """``.spec.replicas``, ``.spec.containers[name="web"].image``, as conflict causes name fields."""
    text = ""
    for element in path:
        if element.startswith("f:"):
            text += f".{element[2:]}"
        elif element.startswith("k:"):
            keys: JsonObject = orjson.loads(element[2:])
            text += (
                "[" + ",".join(f"{key}={orjson.dumps(value).decode()}" for key, value in keys.items()) + "]"
            )
        else:
            text += f"[={element[2:]}]"
    return text
