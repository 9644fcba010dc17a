"""Which clusters get which app, in which order, and what is wrong with the answer."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from fleetmgr.errors import Problem, Where
from fleetmgr.model.enumeration import listed
from fleetmgr.model.selector import Selector, SelectorError, selector_of
from fleetmgr.spec.dependencies import dependencies

if TYPE_CHECKING:
    from fleetmgr.spec import App, Cluster, LoadedFleet

SELECTS_NOTHING = "FLT-1101"
NOT_PLACED = "FLT-1102"
DEPENDENCY_NOT_PLACED = "FLT-1104"
BAD_SELECTOR = "FLT-1105"
_SHOWN = 3


class Placed(Struct, frozen=True, kw_only=True):
    """``apps`` in dependency order, then list order; ``clusters`` of each app by name."""

    apps: tuple[App, ...]
    clusters: Mapping[str, frozenset[str]]


def place(loaded: LoadedFleet, problems: list[Problem]) -> Placed:
    """Place every app; what is wrong is appended to ``problems``."""
    apps = in_dependency_order(loaded.fleet.apps)
    clusters = {app.name: _clusters_of(loaded, app, problems) for app in apps}
    placed = Placed(apps=apps, clusters=clusters)
    for app in apps:
        problems += _dependencies(loaded, app, placed)
        problems += _overlays(loaded, app, placed)
    return placed


def in_dependency_order(apps: Sequence[App]) -> tuple[App, ...]:
    """Dependencies first; among those that are free, the order of the list. The loader has refused cycles."""
    index = {app.name: i for i, app in enumerate(apps)}
    needs = [{index[d.name] for d in dependencies(app)} for app in apps]
    needed_by: list[list[int]] = [[] for _ in apps]
    for i, needed in enumerate(needs):
        for j in needed:
            needed_by[j].append(i)
    waiting = [len(needed) for needed in needs]
    free = [i for i, count in enumerate(waiting) if count == 0]
    order: list[App] = []
    while free:
        i = heapq.heappop(free)
        order.append(apps[i])
        for j in needed_by[i]:
            waiting[j] -= 1
            if waiting[j] == 0:
                heapq.heappush(free, j)
    return tuple(order)


def _clusters_of(loaded: LoadedFleet, app: App, problems: list[Problem]) -> frozenset[str]:
    placement = app.placement
    selector = _selector(loaded, app, problems)
    if selector is None:
        return frozenset()
    named = None if placement.clusters is None else frozenset(placement.clusters)
    environments = None if placement.environments is None else frozenset(placement.environments)
    found = frozenset(
        c.name
        for c in loaded.fleet.clusters
        if (named is None or c.name in named)
        and (environments is None or c.environment in environments)
        and selector.matches(c.labels)
    )
    if not found:
        message = f"the placement of app `{app.name}` selects no cluster"
        where = loaded.where("apps", app.name, "placement")
        hint = _selectable(loaded.fleet.clusters)
        problems.append(Problem(message=message, where=where, hint=hint, code=SELECTS_NOTHING))
    return found


def _selector(loaded: LoadedFleet, app: App, problems: list[Problem]) -> Selector | None:
    if app.placement.select is None:
        return Selector()
    try:
        return selector_of(app.placement.select)
    except SelectorError as error:
        where = loaded.where("apps", app.name, "placement", "select")
        message = f"`select` of app `{app.name}`: {error}"
        hint = "a Kubernetes selector such as `region in (kr, us), !legacy`"
        problems.append(Problem(message=message, where=where, hint=hint, code=BAD_SELECTOR))
        return None


def _selectable(clusters: Sequence[Cluster]) -> str:
    labels = sorted({f"{k}={v}" for c in clusters for k, v in c.labels.items()})
    if not labels:
        return "no cluster has labels"
    more = ", ..." if len(labels) > 2 * _SHOWN else ""
    return f"labels of clusters: {', '.join(labels[: 2 * _SHOWN])}{more}"


def _dependencies(loaded: LoadedFleet, app: App, placed: Placed) -> Iterator[Problem]:
    for i, dependency in enumerate(dependencies(app)):
        missing = placed.clusters[app.name] - placed.clusters[dependency.name]
        if missing and placed.clusters[dependency.name] and not dependency.optional:
            at = _place_of(loaded, dependency.name)
            message = (
                f"app `{app.name}` depends on `{dependency.name}` ({at}), "
                f"which is not placed on {_named(loaded, missing)}"
            )
            hint = f"place it there, or write {{name: {dependency.name}, optional: true}}"
            where = loaded.where("apps", app.name, "dependsOn", i)
            yield Problem(message=message, where=where, hint=hint, code=DEPENDENCY_NOT_PLACED)


def _place_of(loaded: LoadedFleet, app: str) -> Where:
    return loaded.where("apps", app, "placement")


def _named(loaded: LoadedFleet, names: frozenset[str]) -> str:
    ordered = [c.name for c in loaded.fleet.clusters if c.name in names]
    return listed(ordered, limit=_SHOWN)


def _overlays(loaded: LoadedFleet, app: App, placed: Placed) -> Iterator[Problem]:
    """Overlays of environments, and exceptions of clusters, that the app does not reach."""
    on = placed.clusters[app.name]
    if not on:
        return
    reached = {c.environment for c in loaded.fleet.clusters if c.name in on}
    populated = {c.environment for c in loaded.fleet.clusters}
    wanted = app.placement.environments
    for environment, exceptions, path in _written(loaded, app):
        excluded = wanted is not None and environment not in wanted
        if excluded or (environment in populated and environment not in reached):
            message = f"this overlay does nothing: app `{app.name}` is not placed in `{environment}`"
            yield _does_nothing(loaded, app, message, path)
            continue
        for cluster in exceptions:
            if cluster not in on:
                message = f"this exception does nothing: app `{app.name}` is not placed on `{cluster}`"
                yield _does_nothing(loaded, app, message, (*path, "exceptions", cluster))


def _does_nothing(loaded: LoadedFleet, app: App, message: str, path: tuple[str, ...]) -> Problem:
    hint = f"remove it, or widen the placement ({_place_of(loaded, app.name)})"
    return Problem(message=message, where=loaded.where(*path), hint=hint, code=NOT_PLACED)


def _written(loaded: LoadedFleet, app: App) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """(environment, clusters with exceptions, path) of each overlay of ``app``."""
    for environment, overlay in app.overlays.items():
        yield environment, tuple(overlay.exceptions), ("apps", app.name, "overlays", environment)
    for environment in loaded.fleet.environments:
        file = loaded.overlays.get((environment.name, app.name))
        if file is not None:
            yield environment.name, tuple(file.exceptions), ("overlays", environment.name, app.name)
