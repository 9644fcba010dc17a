"""Values of Secrets leave the engine masked: keys and "changed", never content."""

from __future__ import annotations

from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import JsonObject, is_object

MASK = "(sensitive)"
MASK_CHANGED = "(sensitive, changed)"
_FIELDS = ("data", "stringData")


def is_secret(body: JsonObject) -> bool:
    """Whether the object is a core Secret."""
    return body.get("kind") == "Secret" and body.get("apiVersion") == "v1"


def mask_diff(diff: tuple[FieldDiff, ...]) -> tuple[FieldDiff, ...]:
    """Drop the values of data fields; a whole added or removed ``data`` is told key by key."""
    masked: list[FieldDiff] = []
    for item in diff:
        top, _, rest = item.path.lstrip("/").partition("/")
        if top not in _FIELDS:
            masked.append(item)
        elif rest:
            masked.append(FieldDiff(path=item.path, sensitive=True))
        else:
            keys = {*_keys(item.old), *_keys(item.new)}
            masked += [FieldDiff(path=f"/{top}/{key}", sensitive=True) for key in sorted(keys)]
    return tuple(masked)


def _keys(value: object) -> tuple[str, ...]:
    return tuple(value) if is_object(value) else ()


def mask_pair(
    before: JsonObject | None, after: JsonObject | None
) -> tuple[JsonObject | None, JsonObject | None]:
    """Both states with data values replaced; a value that differs says so on the later side."""
    return _mask(before, None), _mask(after, before)


def _mask(body: JsonObject | None, earlier: JsonObject | None) -> JsonObject | None:
    if body is None:
        return None
    shown = dict(body)
    for name in _FIELDS:
        data = body.get(name)
        if is_object(data):
            old = earlier.get(name) if earlier else None
            shown[name] = {
                k: MASK_CHANGED if is_object(old) and k in old and old[k] != v else MASK
                for k, v in data.items()
            }
    return shown
