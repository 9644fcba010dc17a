"""Which layer set what: computed when asked, never while expanding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from fleetmgr.expansion.expand import DEFAULT_TIMEOUT
from fleetmgr.expansion.layers import MAPS, Layer, base_layers, exception_layers
from fleetmgr.expansion.policy import prune_of
from fleetmgr.expansion.select import EmptySelection, UnknownSelection, clusters, expand_cluster
from fleetmgr.model.explanation import ExplainedValue
from fleetmgr.model.jsontypes import Json
from fleetmgr.model.policy import Prune
from fleetmgr.model.selection import Selection
from fleetmgr.model.target import Patch, Target

if TYPE_CHECKING:
    from fleetmgr.spec import App, LoadedFleet

BUILT_IN = "built-in"


def explain(loaded: LoadedFleet, app: str, cluster: str) -> tuple[ExplainedValue, ...]:
    """Every value of ``app@cluster``, sorted by key. Raises UnknownSelection, EmptySelection, InvalidInput."""
    clusters(loaded, Selection(clusters=(cluster,)))
    declared = next((a for a in loaded.fleet.apps if a.name == app), None)
    if declared is None:
        clusters(loaded, Selection(apps=(app,)))
        raise UnknownSelection(f"there is no app `{app}`")
    target = next((t for t in expand_cluster(loaded, cluster) if t.app == app), None)
    if target is None:
        where = loaded.where("apps", app, "placement")
        raise EmptySelection(f"app `{app}` is not placed on cluster `{cluster}`", where=where)
    return tuple(sorted(_values(loaded, declared, target), key=lambda v: v.key))


def placed_on(loaded: LoadedFleet, app: str) -> tuple[str, ...]:
    """The clusters that ``app`` is placed on, in the order of fleet.yaml; none for an app that is not there."""
    return tuple(
        cluster.name
        for cluster in loaded.fleet.clusters
        if any(target.app == app for target in expand_cluster(loaded, cluster.name))
    )


def _values(loaded: LoadedFleet, app: App, target: Target) -> Iterator[ExplainedValue]:
    environment = next(e for e in loaded.fleet.environments if e.name == target.environment)
    layers = [
        *base_layers(loaded, app, environment),
        *exception_layers(loaded, app, environment, target.cluster),
    ]
    yield from _app_values(loaded, app, target)
    yield _timeout(loaded, app, target)
    yield _prune(loaded, layers, target)
    yield from _source(loaded, layers, target)
    yield from _namespace(loaded, layers, target)
    yield from _names(loaded, layers, target)
    yield from _maps(loaded, layers, target)


def _app_values(loaded: LoadedFleet, app: App, target: Target) -> Iterator[ExplainedValue]:
    written: tuple[tuple[str, Json, tuple[str, ...], bool], ...] = (
        (
            "createNamespace",
            target.create_namespace,
            ("createNamespace",),
            "create_namespace" in app.model_fields_set,
        ),
        ("dependsOn", list(target.depends_on), ("dependsOn",), "depends_on" in app.model_fields_set),
        ("source.type", target.source.type, ("source", "type"), True),
        (
            "source.recurse",
            target.source.recurse,
            ("source", "recurse"),
            "recurse" in app.source.model_fields_set,
        ),
        (
            "source.substitute",
            target.substitute,
            ("source", "substitute"),
            "substitute" in app.source.model_fields_set,
        ),
    )
    for key, value, path, is_set in written:
        where = loaded.where("apps", app.name, *path) if is_set else None
        yield ExplainedValue(
            key=key, value=value, layer=f"app {app.name}" if is_set else BUILT_IN, where=where
        )


def _timeout(loaded: LoadedFleet, app: App, target: Target) -> ExplainedValue:
    if app.timeout is not None:
        where, layer, value = loaded.where("apps", target.app, "timeout"), f"app {app.name}", app.timeout
    elif loaded.fleet.defaults.timeout is not None:
        where, layer, value = loaded.where("defaults", "timeout"), "defaults", loaded.fleet.defaults.timeout
    else:
        where, layer, value = None, BUILT_IN, DEFAULT_TIMEOUT
    return ExplainedValue(key="timeout", value=value, layer=layer, where=where)


def _prune(loaded: LoadedFleet, layers: list[Layer], target: Target) -> ExplainedValue:
    """The first layer that decides: one that forbids, else one that allows, else the defaults."""
    said = [layer for layer in layers if layer.sync is not None]
    deciding = next((la for la in said if la.sync and prune_of(la.sync) is target.policy.prune), None)
    defaults = loaded.fleet.defaults.sync
    if deciding is not None:
        where, layer = loaded.where(*deciding.path, "sync", "prune"), deciding.name
    elif defaults is not None and defaults.prune is not None:
        where, layer = loaded.where("defaults", "sync", "prune"), "defaults"
    else:
        where, layer = None, BUILT_IN
    return ExplainedValue(key="sync.prune", value=_written(target.policy.prune), layer=layer, where=where)


def _written(prune: Prune) -> Json:
    """As fleet.yaml says it."""
    return prune.value if prune is Prune.CONFIRM else prune is Prune.ALWAYS


def _source(loaded: LoadedFleet, layers: list[Layer], target: Target) -> Iterator[ExplainedValue]:
    path = next(layer for layer in reversed(layers) if layer.source_path is not None)
    where = loaded.where(*path.source_path_at)
    yield ExplainedValue(key="source.path", value=target.source.path, layer=path.name, where=where)
    pinned = next((layer for layer in reversed(layers) if layer.revision is not None), None)
    if pinned is not None:
        at = (*pinned.source_path_at[:-1], "revision")
        revision = target.source.revision
        yield ExplainedValue(
            key="source.revision", value=revision, layer=pinned.name, where=loaded.where(*at)
        )


def _namespace(loaded: LoadedFleet, layers: list[Layer], target: Target) -> Iterator[ExplainedValue]:
    layer = next((layer for layer in reversed(layers) if layer.namespace is not None), None)
    path = layer.path if layer else ("apps", target.app)
    name = layer.name if layer else f"app {target.app}"
    yield ExplainedValue(
        key="namespace", value=target.namespace, layer=name, where=loaded.where(*path, "namespace")
    )


def _names(loaded: LoadedFleet, layers: list[Layer], target: Target) -> Iterator[ExplainedValue]:
    values = {"namePrefix": target.overlay.name_prefix, "nameSuffix": target.overlay.name_suffix}
    for key, value in values.items():
        layer = next((layer for layer in reversed(layers) if layer.names[key] is not None), None)
        if layer is not None:
            yield ExplainedValue(key=key, value=value, layer=layer.name, where=loaded.where(*layer.path, key))
    written = [(layer, index) for layer in layers for index in range(len(layer.patches))]
    for number, (patch, (layer, _)) in enumerate(zip(target.overlay.patches, written, strict=True)):
        yield ExplainedValue(
            key=f"patches[{number}]", value=_patched(patch), layer=layer.name, where=patch.where
        )


def _patched(patch: Patch) -> Json:
    """What a patch is for; not what it says, which may be a value of a Secret."""
    if patch.target is None:
        return "the object that it names"
    return {name: value for name, value in asdict(patch.target).items() if value is not None}


def _maps(loaded: LoadedFleet, layers: list[Layer], target: Target) -> Iterator[ExplainedValue]:
    values = {
        "images": target.overlay.images,
        "replicas": target.overlay.replicas,
        "labels": target.overlay.labels,
        "annotations": target.overlay.annotations,
        "vars": target.variables["vars"],
    }
    for name in (*MAPS, "vars"):
        for key, value in values[name].items():
            layer = [la for la in layers if key in (la.vars if name == "vars" else la.map(name))][-1]
            where = loaded.where(*layer.path, name, key)
            yield ExplainedValue(key=f"{name}.{key}", value=value, layer=layer.name, where=where)
    for key, value in target.variables["cluster"]["vars"].items():
        where = loaded.where("clusters", target.cluster, "vars", key)
        yield ExplainedValue(
            key=f"cluster.vars.{key}", value=value, layer=f"cluster {target.cluster}", where=where
        )
