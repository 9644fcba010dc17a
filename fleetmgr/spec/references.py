"""What the parts of a fleet say about each other: names that must exist, once, and lead to no circle."""

from __future__ import annotations

import graphlib
import itertools
from collections.abc import Iterator, Mapping

from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.spec.app import App
from fleetmgr.spec.dependencies import dependencies
from fleetmgr.spec.fleet import Cluster
from fleetmgr.spec.loaded import SECTIONS, Places
from fleetmgr.spec.overlay import Overlay
from fleetmgr.spec.plain import is_label_key, is_label_value, seconds
from fleetmgr.spec.suggest import suggest
from fleetmgr.spec.yaml_tree import Key

DUPLICATE = "FLT-1007"
UNKNOWN_NAME = "FLT-1008"
CYCLE = "FLT-1010"
WRONG_VALUE = "FLT-1004"
BAD_LABEL = "FLT-1013"
_CYCLES_SHOWN = 5
_STEPS_SHOWN = 12


class Declared(Struct, frozen=True, kw_only=True):
    """The parts that are valid by themselves, by their index in the list.

    Names are taken from ``places``, so that one invalid app does not make every mention of it an unknown
    name.
    """

    clusters: Mapping[int, Cluster]
    apps: Mapping[int, App]
    overlays: Mapping[tuple[str, str], Overlay]
    places: Places

    def names(self, section: str) -> list[str]:
        """Declared names of a section, in order."""
        return [item.name for item in self.places.items.get(section, ()) if item.name]


def check(declared: Declared) -> Iterator[Problem]:
    """Every problem, in no order that matters."""
    for section in SECTIONS:
        yield from _duplicates(declared.places, section)
    environments = _Names(declared, "environments", "environment")
    clusters = _Names(declared, "clusters", "cluster")
    apps = _Names(declared, "apps", "app")
    for index, cluster in declared.clusters.items():
        yield from environments.expect(cluster.environment, "clusters", index, "environment")
        yield from _access(declared, index, cluster)
    for index, app in declared.apps.items():
        for i, name in enumerate(app.placement.environments or ()):
            yield from environments.expect(name, "apps", index, "placement", "environments", i)
        for i, name in enumerate(app.placement.clusters or ()):
            yield from clusters.expect(name, "apps", index, "placement", "clusters", i)
        for i, dependency in enumerate(dependencies(app)):
            yield from apps.expect(dependency.name, "apps", index, "dependsOn", i)
        yield from _timeout(declared, index, app)
        for environment in app.overlays:
            yield from environments.expect_key(environment, "apps", index, "overlays")
    yield from _exceptions(declared, clusters)
    yield from _bad_labels(declared)
    yield from _cycles(declared)


class _Names:
    """The names of one section, and the problem of a name that is not among them."""

    def __init__(self, declared: Declared, section: str, word: str) -> None:
        self._places = declared.places
        self._section = section
        self._word = word
        self._names = dict.fromkeys(declared.names(section))

    def expect(self, name: str, *path: Key) -> Iterator[Problem]:
        if name not in self._names:
            yield self._places.find(*path).problem(
                self._message(name), code=UNKNOWN_NAME, hint=self._hint(name)
            )

    def expect_key(self, name: str, *path: Key) -> Iterator[Problem]:
        if name not in self._names:
            place = self._places.find(*path).key(name)
            yield place.problem(self._message(name), code=UNKNOWN_NAME, hint=self._hint(name))

    def _message(self, name: str) -> str:
        return f"there is no {self._word} `{name[:80]}`"

    def _hint(self, name: str) -> str:
        return suggest(name, self._names, what=self._section)


def _duplicates(places: Places, section: str) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for item in places.items.get(section, ()):
        place = item.place.walk("name")
        if item.name in first:
            message = f"{section[:-1]} `{item.name}` is declared twice, first at {first[item.name]}"
            yield place.problem(message, code=DUPLICATE, hint="names are unique in a fleet")
        elif item.name:
            first[item.name] = str(place.where())


def _access(declared: Declared, index: int, cluster: Cluster) -> Iterator[Problem]:
    access = cluster.access
    if access.in_cluster and (access.context or access.kubeconfig):
        place = declared.places.find("clusters", index, "access", "inCluster")
        yield place.problem(
            "`inCluster` excludes `context` and `kubeconfig`", code=DUPLICATE, hint="keep one way in"
        )


def _timeout(declared: Declared, index: int, app: App) -> Iterator[Problem]:
    if app.timeout is not None and seconds(app.timeout) == 0:
        place = declared.places.find("apps", index, "timeout")
        yield place.problem("`timeout` must be more than zero", code=WRONG_VALUE)


def _exceptions(declared: Declared, clusters: _Names) -> Iterator[Problem]:
    environment_of = {c.name: c.environment for c in declared.clusters.values()}
    for environment, overlay, path in _overlays(declared):
        for cluster in overlay.exceptions:
            where = (*path, "exceptions")
            yield from clusters.expect_key(cluster, *where)
            actual = environment_of.get(cluster, environment)
            if actual != environment:
                place = declared.places.find(*where).key(cluster)
                at = declared.places.find("clusters", cluster, "environment").where()
                message = f"cluster `{cluster}` is in environment `{actual}` ({at}), not in `{environment}`"
                yield place.problem(message, code=UNKNOWN_NAME, hint=f"move it to the overlay of `{actual}`")


def _overlays(declared: Declared) -> Iterator[tuple[str, Overlay, tuple[Key, ...]]]:
    for index, app in declared.apps.items():
        for environment, overlay in app.overlays.items():
            yield environment, overlay, ("apps", index, "overlays", environment)
    for (environment, app_name), overlay in declared.overlays.items():
        yield environment, overlay, ("overlays", environment, app_name)


def _bad_labels(declared: Declared) -> Iterator[Problem]:
    """Labels that Kubernetes would refuse; a value that holds a variable is left to the server."""
    for index, cluster in declared.clusters.items():
        yield from _labels(declared, cluster.labels, ("clusters", index, "labels"))
    for index, app in declared.apps.items():
        yield from _labels(declared, app.labels, ("apps", index, "labels"))
        if not isinstance(app.namespace, str):
            yield from _labels(declared, app.namespace.labels, ("apps", index, "namespace", "labels"))
    for _, overlay, path in _overlays(declared):
        yield from _labels(declared, overlay.labels, (*path, "labels"))
        for cluster, exception in overlay.exceptions.items():
            yield from _labels(declared, exception.labels, (*path, "exceptions", cluster, "labels"))


def _labels(declared: Declared, labels: Mapping[str, str], path: tuple[Key, ...]) -> Iterator[Problem]:
    for key, value in labels.items():
        if not is_label_key(key):
            place = declared.places.find(*path).key(key)
            hint = "at most 63 of A-Z, a-z, 0-9, `-`, `_`, `.`, after an optional prefix such as example.com/"
            yield place.problem(f"`{key[:80]}` is no label key", code=BAD_LABEL, hint=hint)
        elif not is_label_value(value) and "${" not in value:
            place = declared.places.find(*path, key)
            hint = "at most 63 of A-Z, a-z, 0-9, `-`, `_`, `.`, starting and ending with a letter or digit"
            yield place.problem(f"the value of label `{key}` is not allowed", code=BAD_LABEL, hint=hint)


def _cycles(declared: Declared) -> Iterator[Problem]:
    graph = {app.name: dict.fromkeys(d.name for d in dependencies(app)) for app in declared.apps.values()}
    for _ in range(_CYCLES_SHOWN):
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            circle: list[str] = list(reversed(error.args[1]))
            yield _cycle(declared, circle)
            del graph[circle[0]][circle[1]]
        else:
            return


def _cycle(declared: Declared, circle: list[str]) -> Problem:
    apps = {app.name: app for app in declared.apps.values()}
    steps: list[str] = []
    for name, needed in itertools.pairwise(circle):
        index = [d.name for d in dependencies(apps[name])].index(needed)
        at = declared.places.find("apps", name, "dependsOn", index).where()
        steps.append(f"`{name}` needs `{needed}` at {at}")
    place = declared.places.find("apps", circle[0], "dependsOn")
    left_out = max(0, len(steps) - _STEPS_SHOWN)
    more = f" and {left_out} more" if left_out else ""
    names = [*circle[:_STEPS_SHOWN], "...", circle[-1]] if left_out else circle
    message = f"dependency cycle {' -> '.join(names)}: {', '.join(steps[:_STEPS_SHOWN])}{more}"
    return place.problem(message, code=CYCLE, hint="remove one of these")
