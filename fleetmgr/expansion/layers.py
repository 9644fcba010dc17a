"""The layers of one app on one cluster, earliest first, and their fold.

environment < app < inline overlay < overlay file < exceptions (inline, then file); ``defaults`` hold where
nothing else is said. Maps merge by key, scalars replace; what ``sync`` says is folded by ``policy``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import orjson
from msgspec import Struct, field

from fleetmgr.errors import Where
from fleetmgr.expansion.policy import fold_policy
from fleetmgr.model.jsontypes import Json
from fleetmgr.model.policy import Policy
from fleetmgr.model.target import Patch, PatchTarget

if TYPE_CHECKING:
    from fleetmgr.spec import App, Environment, LoadedFleet, Overlay, OverlayException, Sync
    from fleetmgr.spec.overlay import Patch as WrittenPatch
    from fleetmgr.spec.overlay import PatchTarget as WrittenTarget
    from fleetmgr.spec.retry import Retry

Path = tuple[str | int, ...]
MAPS = ("images", "replicas", "labels", "annotations")


class Layer(Struct, frozen=True, kw_only=True):
    """What one place says; ``path`` is where it stands. Unset is None or empty."""

    name: str
    path: Path
    vars: Mapping[str, Json] = field(default_factory=dict[str, Json])
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    replicas: Mapping[str, int] = field(default_factory=dict[str, int])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    namespace: str | None = None
    name_prefix: str | None = None
    name_suffix: str | None = None
    patches: tuple[WrittenPatch, ...] = ()
    source_path: str | None = None
    source_path_at: Path = ()
    revision: str | None = None
    sync: Sync | None = None
    retry: Retry | None = None

    @property
    def names(self) -> Mapping[str, str | None]:
        """What is said about names of objects and of their namespace."""
        return {
            "namespace": self.namespace,
            "namePrefix": self.name_prefix,
            "nameSuffix": self.name_suffix,
        }

    def map(self, name: str) -> Mapping[str, Json]:
        """One of MAPS."""
        match name:
            case "images":
                return self.images
            case "replicas":
                return self.replicas
            case "labels":
                return self.labels
            case _:
                return self.annotations


class Folded(Struct, frozen=True, kw_only=True):
    """Layers folded into one; ``overlay_where`` says where each overlay entry was set last."""

    vars: Mapping[str, Json]
    images: Mapping[str, str]
    replicas: Mapping[str, int]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    namespace: str | None
    name_prefix: str
    name_suffix: str
    patches: tuple[Patch, ...]
    source_path: str
    source_where: Where
    revision: str | None
    policy: Policy
    overlay_where: Mapping[str, Where]


def base_layers(loaded: LoadedFleet, app: App, environment: Environment) -> Iterator[Layer]:
    """The layers that all clusters of the environment share."""
    sync = environment.sync
    yield Layer(
        name=f"environment {environment.name}",
        path=("environments", environment.name),
        vars=environment.vars,
        sync=sync,
        retry=environment.retry,
    )
    path = ("apps", app.name)
    yield Layer(
        name=f"app {app.name}",
        path=path,
        vars=app.vars,
        labels=app.labels,
        annotations=app.annotations,
        source_path=app.source.path,
        source_path_at=(*path, "source", "path"),
        revision=app.source.revision,
        sync=app.sync,
        retry=app.retry,
    )
    for overlay, at, name in _overlays(loaded, app, environment.name):
        yield _layer(overlay, at, f"{name} {environment.name}")


def exception_layers(
    loaded: LoadedFleet, app: App, environment: Environment, cluster: str
) -> Iterator[Layer]:
    """The layers of one cluster only; most clusters have none."""
    for overlay, at, _ in _overlays(loaded, app, environment.name):
        if cluster in overlay.exceptions:
            yield _layer(overlay.exceptions[cluster], (*at, "exceptions", cluster), f"exception {cluster}")


def fold(loaded: LoadedFleet, app: App, layers: list[Layer]) -> Folded:
    """Base layers folded; the first that names a path must be the app."""
    source_path, source_where = _last_path(loaded, layers)
    said = [layer.sync for layer in layers if layer.sync is not None]
    return Folded(
        vars=_merged([layer.vars for layer in layers]),
        images=_merged([layer.images for layer in layers]),
        replicas=_merged([layer.replicas for layer in layers]),
        labels=_merged([layer.labels for layer in layers]),
        annotations=_merged([layer.annotations for layer in layers]),
        namespace=next((la.namespace for la in reversed(layers) if la.namespace is not None), None),
        name_prefix=next((la.name_prefix for la in reversed(layers) if la.name_prefix is not None), ""),
        name_suffix=next((la.name_suffix for la in reversed(layers) if la.name_suffix is not None), ""),
        patches=tuple(_patch(loaded, la, i) for la in layers for i in range(len(la.patches))),
        source_path=source_path,
        source_where=source_where,
        revision=next((la.revision for la in reversed(layers) if la.revision is not None), None),
        policy=fold_policy(
            app,
            loaded.fleet.defaults.sync,
            said,
            retry=[loaded.fleet.defaults.retry, *(la.retry for la in layers)],
        ),
        overlay_where=_overlay_where(loaded, layers),
    )


def _overlays(loaded: LoadedFleet, app: App, environment: str) -> Iterator[tuple[Overlay, Path, str]]:
    inline = app.overlays.get(environment)
    if inline is not None:
        yield inline, ("apps", app.name, "overlays", environment), "overlay"
    file = loaded.overlays.get((environment, app.name))
    if file is not None:
        yield file, ("overlays", environment, app.name), "overlay file"


def _layer(overlay: OverlayException, at: Path, name: str) -> Layer:
    return Layer(
        name=name,
        path=at,
        vars=overlay.vars,
        images=overlay.images,
        replicas=overlay.replicas,
        labels=overlay.labels,
        annotations=overlay.annotations,
        namespace=overlay.namespace,
        name_prefix=overlay.name_prefix,
        name_suffix=overlay.name_suffix,
        patches=overlay.patches,
        source_path=overlay.path,
        source_path_at=(*at, "path"),
        revision=overlay.revision,
        sync=overlay.sync,
    )


def _patch(loaded: LoadedFleet, layer: Layer, index: int) -> Patch:
    patch = layer.patches[index]
    target = patch.target
    return Patch(
        target=None if target is None else _target(target),
        text=patch.patch if isinstance(patch.patch, str) else orjson.dumps(patch.patch).decode(),
        structured=not isinstance(patch.patch, str),
        where=loaded.where(*layer.path, "patches", index),
    )


def _target(written: WrittenTarget) -> PatchTarget:
    return PatchTarget(
        group=written.group,
        version=written.version,
        kind=written.kind,
        name=written.name,
        namespace=written.namespace,
        label_selector=written.label_selector,
        annotation_selector=written.annotation_selector,
    )


def _merged(maps: list[Mapping[str, Json]]) -> Mapping[str, Json]:
    merged: dict[str, Json] = {}
    for values in maps:
        merged.update(values)
    return merged


def _last_path(loaded: LoadedFleet, layers: list[Layer]) -> tuple[str, Where]:
    for layer in reversed(layers):
        if layer.source_path is not None:
            return layer.source_path, loaded.where(*layer.source_path_at)
    return ".", loaded.where("apps")


def _overlay_where(loaded: LoadedFleet, layers: list[Layer]) -> Mapping[str, Where]:
    found: dict[str, Where] = {}
    for layer in layers:
        for name in MAPS:
            for key in layer.map(name):
                found[f"{name}.{key}"] = loaded.where(*layer.path, name, key)
        for name, value in layer.names.items():
            if value is not None:
                found[name] = loaded.where(*layer.path, name)
    return found
