"""What checking a fleet told, kept apart from what the fleet says: the shape of its models, without their values.

Checking is a pure function of the files' data, so it needs to be done once for equal data. What is kept are names of
models and fields and which values came as they were written; the values themselves are taken from the files, which
are read each time. Only defaults and what checking changed are kept as they are. Whoever keeps the shape must key it
by all of the data and by the version of the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from fleetmgr.spec.gathering import Gathered
from fleetmgr.spec.loaded import LoadedFleet
from fleetmgr.spec.plain import Json

if TYPE_CHECKING:
    from fleetmgr.spec.fleet import Fleet
    from fleetmgr.spec.overlay import Overlay

_ABSENT = object()
_AS_WRITTEN = 0
_VALUE, _TUPLE, _MAP, _MODEL = 1, 2, 3, 4
_SCALARS = (str, int, float, bool, type(None))


class Thawed:
    """A model as it was checked before: the same attributes, nothing can be set."""

    __slots__ = ("__dict__", "model_fields_set")

    model_fields_set: frozenset[str]

    def __init__(self, values: Mapping[str, object], said: frozenset[str]) -> None:
        """``said`` are the fields that were written."""
        object.__setattr__(self, "model_fields_set", said)
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        """Frozen, as every model."""
        raise AttributeError(f"{name} cannot be set")

    def __eq__(self, other: object) -> bool:
        """As models are equal: of one kind and with equal fields, whether checked now or before."""
        return type(self).__name__ == type(other).__name__ and vars(self) == getattr(other, "__dict__", None)

    def __hash__(self) -> int:
        """As frozen models: over the fields."""
        return hash((type(self).__name__, *vars(self).values()))


class Unkeepable(ValueError):
    """There is a value that cannot be kept."""


def data_of(gathered: Gathered) -> bytes:
    """All that checking looks at, as one text. Raises Unkeepable (a number beyond 64 bits)."""
    overlays = [[*key, data] for key, data in gathered.overlays.items()]
    try:
        return msgspec.json.encode([gathered.data, overlays])
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unkeepable from error


def freeze(loaded: LoadedFleet, gathered: Gathered) -> bytes:
    """The shape of ``loaded``, which was checked from ``gathered``. Raises Unkeepable."""
    shapes: dict[str, list[tuple[str, str]]] = {}
    fleet = _freeze(loaded.fleet, gathered.data, shapes)
    overlays = [
        [*key, _freeze(overlay, gathered.overlays[key], shapes)] for key, overlay in loaded.overlays.items()
    ]
    try:
        return msgspec.msgpack.encode([shapes, fleet, overlays])
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unkeepable from error


def thaw(kept: bytes, gathered: Gathered) -> LoadedFleet:
    """The fleet again, from its shape and the files' data. Raises ValueError when they do not fit."""
    try:
        shapes, fleet, overlays = msgspec.msgpack.decode(kept)
        thawing = _Thawing(shapes)
        return LoadedFleet(
            fleet=cast("Fleet", thawing.value(fleet, gathered.data)),
            root=gathered.root,
            files=gathered.files,
            overlays={
                (environment, app): cast("Overlay", thawing.value(shape, gathered.overlays[environment, app]))
                for environment, app, shape in overlays
            },
            places=gathered.places,
        )
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("kept for other files") from error


def plain(value: object) -> Json:
    """A model, checked now or before, as plain data by its fields' names."""
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, dict):
        return {key: plain(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("list[object]", value)]
    return {name: plain(item) for name, item in vars(value).items()}


def _freeze(value: Any, written: Json, shapes: dict[str, list[tuple[str, str]]]) -> list[Json] | int:
    if written is not _ABSENT and _same(value, written):
        return _AS_WRITTEN
    if isinstance(value, _SCALARS):
        return [_VALUE, value]
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return [_TUPLE, *(_freeze(item, _item(written, i), shapes) for i, item in enumerate(items))]
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return [_MAP, {key: _freeze(item, _entry(written, key), shapes) for key, item in entries.items()}]
    if isinstance(value, list):
        return [_VALUE, value]
    model = cast("type[Any]", type(value))
    fields = shapes.setdefault(model.__name__, list(_fields(model)))
    said = sorted(value.model_fields_set)
    inner = [_freeze(getattr(value, name), _entry(written, alias), shapes) for name, alias in fields]
    return [_MODEL, model.__name__, said, *inner]


def _fields(model: Any) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        yield name, field.alias or name


def _entry(written: Json, key: str) -> Json:
    return cast("dict[str, Json]", written).get(key, _ABSENT) if isinstance(written, dict) else _ABSENT


def _item(written: Json, index: int) -> Json:
    items = cast("list[Json]", written) if isinstance(written, list) else []
    return items[index] if index < len(items) else _ABSENT


def _same(value: object, written: Json) -> bool:
    """Equal, of equal types all the way down: 1 is neither 1.0 nor true."""
    if type(value) is not type(written):
        return False
    if isinstance(value, dict):
        ours = cast("dict[str, object]", value)
        return list(ours) == list(written) and all(_same(item, written[key]) for key, item in ours.items())
    if isinstance(value, list):
        items = cast("list[object]", value)
        return len(items) == len(written) and all(map(_same, items, written))
    return isinstance(value, _SCALARS) and value == written


class _Thawing:
    def __init__(self, shapes: dict[str, list[tuple[str, str]]]) -> None:
        self._shapes = shapes
        self._classes = {name: type(name, (Thawed,), {"__slots__": ()}) for name in shapes}

    def value(self, shape: Any, written: Json) -> object:
        if shape == _AS_WRITTEN:
            if written is _ABSENT:
                raise LookupError("there is no such value")
            return written
        kind, *rest = shape
        if kind == _VALUE:
            return rest[0]
        if kind == _TUPLE:
            return tuple(self.value(item, _item(written, i)) for i, item in enumerate(rest))
        if kind == _MAP:
            return {key: self.value(item, _entry(written, key)) for key, item in rest[0].items()}
        name, said, *inner = rest
        values = {
            field: self.value(item, _entry(written, alias))
            for (field, alias), item in zip(self._shapes[name], inner, strict=True)
        }
        return self._classes[name](values, frozenset(said))
