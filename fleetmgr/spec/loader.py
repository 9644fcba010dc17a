"""fleet.yaml and everything that it names -> LoadedFleet, or every problem of every file at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from fleetmgr import __version__
from fleetmgr.errors import InvalidInput, Problem, Where
from fleetmgr.spec.app import App
from fleetmgr.spec.engine_rules import check_engines
from fleetmgr.spec.explain_errors import MOST, explain
from fleetmgr.spec.fleet import Cluster, Fleet
from fleetmgr.spec.gathering import Gathered, gather
from fleetmgr.spec.health_rules import check_health
from fleetmgr.spec.ignored import check_ignored
from fleetmgr.spec.loaded import SECTIONS, LoadedFleet, Places
from fleetmgr.spec.overlay import Overlay, SpecModel
from fleetmgr.spec.plain import Json, is_list
from fleetmgr.spec.references import Declared, check
from fleetmgr.spec.version import satisfies
from fleetmgr.spec.yaml_tree import Key, Place

VERSION = "FLT-1011"
EMPTY = "FLT-1012"
_Model = TypeVar("_Model", bound=SpecModel)


def load(path: Path) -> LoadedFleet:
    """Read and check the fleet whose fleet.yaml is ``path``.

    Raises InvalidInput with all problems of all files; a file of another product, or one that is no YAML at
    all, is reported alone. Raises FleetNotFound when there is no such file.
    """
    return checked(gather(path))


def checked(gathered: Gathered) -> LoadedFleet:
    """The fleet that the files describe. Raises InvalidInput with every problem, those of the files included."""
    return _Checking(gathered).result()


class _Checking:
    """One check: gathers problems part by part, gives a LoadedFleet only when there are none."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._problems = gathered.problems
        self._places = gathered.places
        self._data = gathered.data

    def result(self) -> LoadedFleet:
        overlays = dict(self._valid_overlays())
        fleet = self._fleet()
        declared = self._declared(fleet, overlays)
        self._problems += islice(check(declared), MOST)
        self._problems += islice(check_ignored(declared.apps, self._places), MOST)
        if fleet is not None:
            self._problems += _required_version(fleet, self._places)
            self._problems += check_engines(fleet, self._places)
            self._problems += check_health(fleet.health, self._places)
            self._problems += _empty(fleet, self._data, self._places)
        if fleet is None or self._problems:
            raise InvalidInput(_in_reading_order(self._problems, self._places.root.file))
        return LoadedFleet(
            fleet=fleet,
            root=self._gathered.root,
            files=self._gathered.files,
            overlays=overlays,
            places=self._places,
        )

    def _valid_overlays(self) -> Iterator[tuple[tuple[str, str], Overlay]]:
        for key, data in self._gathered.overlays.items():
            overlay = self._validate(Overlay, data, "overlays", *key)
            if overlay is not None:
                yield key, overlay

    def _fleet(self) -> Fleet | None:
        fleet = self._validate(Fleet, self._data)
        if fleet is None and not self._problems:
            message = "this fleet is invalid in a way that has no words yet"
            self._problems.append(self._places.root.problem(message, code="FLT-1000"))
        return fleet

    def _validate(self, model: type[_Model], data: Json, *path: Key) -> _Model | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:

            def find(*inner: Key) -> Place:
                return self._places.find(*path, *inner)

            self._problems += explain(error, model=model, data=data, find=find, version=__version__)
            return None

    def _declared(self, fleet: Fleet | None, overlays: dict[tuple[str, str], Overlay]) -> Declared:
        clusters = dict(enumerate(fleet.clusters)) if fleet else _each(Cluster, self._data.get("clusters"))
        apps = dict(enumerate(fleet.apps)) if fleet else _each(App, self._data.get("apps"))
        return Declared(clusters=clusters, apps=apps, overlays=overlays, places=self._places)


def _each(model: type[_Model], listed: Json) -> dict[int, _Model]:
    """The items that are valid by themselves, by index; what is wrong with the others is already reported."""
    valid: dict[int, _Model] = {}
    for index, value in enumerate(listed if is_list(listed) else ()):
        with suppress(ValidationError):
            valid[index] = model.model_validate(value)
    return valid


def _required_version(fleet: Fleet, places: Places) -> Iterator[Problem]:
    if fleet.required_version is None:
        return
    place = places.find("requiredVersion")
    try:
        fits = satisfies(__version__, fleet.required_version)
    except ValueError:
        message = "`requiredVersion` must be version specifiers such as `>=0.3,<2`"
        yield place.problem(message, code=VERSION)
        return
    if not fits:
        message = f"this fleet requires fleetmgr {fleet.required_version}; this is {__version__}"
        yield place.problem(message, code=VERSION, hint="install a version that fits")


def _empty(fleet: Fleet, data: Mapping[str, Json], places: Places) -> Iterator[Problem]:
    """A fleet without clusters, or one that never mentions apps, is unfinished; ``apps: []`` is a decision."""
    missing = [s for s in SECTIONS if s not in data or (s != "apps" and not data[s])]
    if not fleet.clusters and not fleet.apps:
        missing = list(dict.fromkeys([*missing, "clusters", "apps"]))
    if missing:
        examples = {
            "environments": "environments: [{name: dev}]",
            "clusters": "clusters: [{name: dev-1, environment: dev, access: {context: CONTEXT}}]",
            "apps": "apps: [{name: web, namespace: web, source: {type: manifests, path: apps/web}}]",
        }
        hint = "add " + " and ".join(examples[s] for s in missing)
        yield places.root.problem(f"the fleet has no {' and no '.join(missing)}", code=EMPTY, hint=hint)


def _in_reading_order(problems: list[Problem], first: str) -> tuple[Problem, ...]:
    """fleet.yaml first, then the other files by name; each from top to bottom; each problem once."""

    def place(problem: Problem) -> tuple[bool, str, int, int]:
        where = problem.where or Where()
        return (where.file != first, where.file or "", where.line or 0, where.column or 0)

    return tuple(sorted(dict.fromkeys(problems), key=place))
