"""One object in the form that both engines agree on and the API server gives back (engine rule 5).

- ``status`` and what only the server sets go; so does kubectl's last-applied annotation, which may hold
  secrets.
- nulls go; in maps of strings (``data``, labels) a null is the empty string, as the server decodes it.
- of built-in kinds, empty lists go, and empty maps where the API type is a Go map (labels, nodeSelector,
  requests): the server does not store them. Empty structs mean something (``selector: {}``,
  ``emptyDir: {}``) and stay. Custom resources keep all of it: their server stores what it is given.
- quantities get the server's spelling, Secret ``stringData`` is merged into ``data``, and of list items
  with one key twice the last one wins, with a warning: server-side apply refuses them.

Pure and idempotent; the input is never changed.
"""

from __future__ import annotations

import base64

from msgspec import Struct, field

from fleetmgr.model.jsontypes import Json, JsonArray, JsonObject, is_array, is_object
from fleetmgr.model.objects import split_api_version
from fleetmgr.model.upkeep import LAST_APPLIED
from fleetmgr.rendering.kinds import is_built_in
from fleetmgr.rendering.quantities import canonical_quantity

_SERVER_SET = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_STRING_MAPS = frozenset({"labels", "annotations", "matchLabels", "nodeSelector"})
_DATA_MAPS = frozenset({"data", "binaryData", "stringData"})
_GO_MAPS = _STRING_MAPS | {"limits", "requests", "overhead", "podFixed", "volumeAttributes"}
_GO_MAPS_OF_KIND: dict[str, frozenset[str]] = {
    "ConfigMap": _DATA_MAPS,
    "Secret": _DATA_MAPS,
    "Service": frozenset({"selector"}),
    "ReplicationController": frozenset({"selector"}),
    "StorageClass": frozenset({"parameters"}),
    "VolumeAttributesClass": frozenset({"parameters"}),
    "LimitRange": frozenset({"default", "defaultRequest", "max", "maxLimitRequestRatio", "min"}),
    "ResourceQuota": frozenset({"hard"}),
    "PersistentVolume": frozenset({"capacity"}),
    "CertificateSigningRequest": frozenset({"extra"}),
}
_QUANTITY_MAPS = frozenset({"limits", "requests", "overhead", "podFixed"})
_QUANTITIES = frozenset({"sizeLimit", "divisor"})
_QUANTITIES_OF_KIND: dict[str, frozenset[str]] = {
    "HorizontalPodAutoscaler": frozenset({"averageValue", "value", "targetAverageValue", "targetValue"}),
}
_LIST_KEYS: dict[str, tuple[str, ...]] = {
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
}
"""Lists with a merge key in which validation (not server-side apply) lets duplicates pass."""
_OPEN_KINDS = frozenset({"CustomResourceDefinition", "ControllerRevision"})
"""Built in, but full of schemas or raw JSON in which ``{}`` and ``[]`` are content."""
_NOTHING = frozenset[str]()


class Notes(Struct):
    """What a person should know about an object: (field, message) pairs."""

    warnings: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    problems: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def canonical(body: JsonObject, notes: Notes | None = None) -> JsonObject:
    """The canonical form of a complete object; remarks are added to ``notes``."""
    notes = notes if notes is not None else Notes()
    group, _ = split_api_version(str(body.get("apiVersion", "")))
    kind = str(body.get("kind", ""))
    top = {key: value for key, value in body.items() if key != "status"}
    if is_object(top.get("metadata")):
        top["metadata"] = _metadata(top["metadata"], notes)
    if group == "" and kind == "Secret":
        top = _merge_string_data(top, notes)
    if not is_built_in(group) or kind in _OPEN_KINDS:
        return _without_nulls(top)
    walk = _Walk(kind, notes, data=group == "" and kind in ("ConfigMap", "Secret"))
    return walk.mapping(top, "", "")


def _metadata(metadata: JsonObject, notes: Notes) -> JsonObject:
    for key in _SERVER_SET:
        if metadata.get(key) not in (None, [], {}):
            notes.warnings.append((f"metadata.{key}", "is set by the server only and was left out"))
    kept = {key: value for key, value in metadata.items() if key not in _SERVER_SET}
    annotations = kept.get("annotations")
    if is_object(annotations) and LAST_APPLIED in annotations:
        kept["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    for key in ("annotations", "labels"):
        if key in kept and not kept[key]:
            del kept[key]
    return kept


def _merge_string_data(body: JsonObject, notes: Notes) -> JsonObject:
    """As the API server does at a write: stringData wins over data."""
    text = body.get("stringData")
    if not is_object(text):
        return body
    data: JsonObject = dict(body["data"]) if is_object(body.get("data")) else {}
    for key, value in text.items():
        if value is not None and not isinstance(value, str):
            notes.problems.append((f"stringData[{key}]", "must be a string: quote it"))
        else:
            data[key] = base64.b64encode((value or "").encode("utf-8", "surrogatepass")).decode()
    merged = {key: value for key, value in body.items() if key != "stringData"}
    merged["data"] = data
    return merged


def _without_nulls(value: Json) -> Json:
    if is_object(value):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if is_array(value):
        return [_without_nulls(item) for item in value]
    return value


class _Walk:
    """One built-in object, from the top down."""

    def __init__(self, kind: str, notes: Notes, *, data: bool) -> None:
        self._notes = notes
        own = _GO_MAPS_OF_KIND.get(kind, _NOTHING)
        self._go_maps = _GO_MAPS | own
        self._quantity_maps = _QUANTITY_MAPS | (
            own if kind in ("LimitRange", "ResourceQuota", "PersistentVolume") else _NOTHING
        )
        self._quantities = _QUANTITIES | _QUANTITIES_OF_KIND.get(kind, _NOTHING)
        self._string_maps = _STRING_MAPS | (_DATA_MAPS if data else _NOTHING)

    def mapping(self, value: JsonObject, name: str, path: str) -> JsonObject:
        if name in self._string_maps or name in self._quantity_maps:
            return self._leaves(value, name)
        result: JsonObject = {}
        for key, item in value.items():
            if item.__class__ is str and key not in self._quantities:  # most of what there is
                result[key] = item
            elif item is not None:
                self._put(result, key, item, name, path)
        return result

    def _put(self, result: JsonObject, key: str, item: Json, parent: str, path: str) -> None:
        if is_object(item):
            inner = self.mapping(item, key, f"{path}.{key}")
            if inner or key not in self._go_maps:
                result[key] = inner
        elif is_array(item):
            if item:
                result[key] = self._array(item, key, f"{path}.{key}")
        else:
            result[key] = canonical_quantity(item) if self._is_quantity(key, parent) else item

    def _leaves(self, value: JsonObject, name: str) -> JsonObject:
        if name in self._string_maps:
            return {key: "" if item is None else item for key, item in value.items()}
        return {key: canonical_quantity(item) for key, item in value.items() if item is not None}

    def _is_quantity(self, key: str, parent: str) -> bool:
        # `value` is a quantity below an HPA's `target` only: in `behavior` it is a number of pods.
        return key in self._quantities and (key != "value" or parent == "target")

    def _array(self, value: JsonArray, name: str, path: str) -> JsonArray:
        items = value
        keys = _LIST_KEYS.get(name)
        if keys is not None and len(value) > 1:
            items = self._unique(value, keys, path)
        return [
            self.mapping(item, "", f"{path}[{index}]") if is_object(item) else item
            for index, item in enumerate(items)
        ]

    def _unique(self, items: JsonArray, keys: tuple[str, ...], path: str) -> JsonArray:
        last: dict[tuple[Json, ...], int] = {}
        for index, item in enumerate(items):
            if not is_object(item) or keys[0] not in item:
                return items
            identity = tuple(_list_key(item, key) for key in keys)
            if identity in last:
                shown = "/".join(str(part) for part in identity)
                self._notes.warnings.append(
                    (path.lstrip("."), f"holds `{shown}` twice; the last one is used")
                )
            last[identity] = index
        return items if len(last) == len(items) else [items[index] for index in sorted(last.values())]


def _list_key(item: JsonObject, key: str) -> str:
    """A part of a merge key; types that compare equal in Python (1, true) stay apart."""
    value = item.get(key)
    return "TCP" if value is None and key == "protocol" else str(value)
