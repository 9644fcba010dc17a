"""Fleet -> Targets. The fleet is checked as a whole once; after that a cluster costs a few dictionaries an app."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from fleetmgr.errors import InvalidInput, Problem, Where
from fleetmgr.expansion.environments import roll_out
from fleetmgr.expansion.filling import Filling, Part, part_of
from fleetmgr.expansion.layers import Layer, base_layers, exception_layers, fold
from fleetmgr.expansion.placement import place
from fleetmgr.model.jsontypes import Json
from fleetmgr.model.target import OwnedNamespace, Target
from fleetmgr.spec.dependencies import dependencies, namespace_name
from fleetmgr.spec.plain import seconds

if TYPE_CHECKING:
    from fleetmgr.spec import App, Cluster, Environment, LoadedFleet

DEFAULT_TIMEOUT = "10m"


@lru_cache(maxsize=8)
def expansion_of(loaded: LoadedFleet) -> FleetExpansion:
    """The expansion of a load, made once. Raises InvalidInput with all problems of the fleet as a whole."""
    return FleetExpansion(loaded)


class _AppFacts(Struct, frozen=True, kw_only=True):
    """What all targets of an app share."""

    exclude: tuple[tuple[str, str], ...]
    owned_namespace: OwnedNamespace | None
    timeout: float
    where: Where
    dependencies: tuple[str, ...]


class FleetExpansion:
    """Caches per app and environment; the answers are pure functions of the load."""

    def __init__(self, loaded: LoadedFleet) -> None:
        """Check and place everything."""
        self._loaded = loaded
        fleet = loaded.fleet
        problems: list[Problem] = []
        self._placed = place(loaded, problems)
        self._clusters = {c.name: c for c in fleet.clusters}
        self._environments = {e.name: e for e in fleet.environments}
        self._parts: dict[tuple[str, str], Part] = {}
        self._filling = Filling(loaded)
        self._facts = {app.name: self._facts_of(app) for app in fleet.apps}
        self.rollout = roll_out(loaded, problems)
        """How changes go through the environments."""
        if problems:
            raise InvalidInput(tuple(dict.fromkeys(problems)))

    def has(self, cluster: str) -> bool:
        """Whether there is such an entry."""
        return cluster in self._clusters

    def placed_on(self, app: str) -> frozenset[str]:
        """Names of the clusters that get ``app``."""
        return self._placed.clusters[app]

    def targets(self, cluster: str) -> tuple[Target, ...]:
        """All apps of one cluster entry, dependencies first. Raises InvalidInput."""
        entry = self._clusters[cluster]
        environment = self._environments[entry.environment]
        problems: list[Problem] = []
        roots = self._filling.roots(entry, environment, problems)
        targets: list[Target] = []
        for app in self._placed.apps:
            if cluster in self._placed.clusters[app.name]:
                part = self._part(app, environment, cluster)
                target = self._target(app, entry, part, roots)
                targets.append(self._filling.fill(target, part, problems))
        if problems:
            raise InvalidInput(tuple(dict.fromkeys(problems)))
        return tuple(targets)

    def _facts_of(self, app: App) -> _AppFacts:
        owned = None
        if not isinstance(app.namespace, str):
            owned = OwnedNamespace(
                labels=tuple(sorted(app.namespace.labels.items())),
                annotations=tuple(sorted(app.namespace.annotations.items())),
            )
        return _AppFacts(
            exclude=tuple((e.kind, e.name) for e in app.exclude),
            owned_namespace=owned,
            timeout=seconds(app.timeout or self._loaded.fleet.defaults.timeout or DEFAULT_TIMEOUT),
            where=self._loaded.where("apps", app.name),
            dependencies=tuple(dict.fromkeys(d.name for d in dependencies(app))),
        )

    def _part(self, app: App, environment: Environment, cluster: str) -> Part:
        exceptions = list(exception_layers(self._loaded, app, environment, cluster))
        if exceptions:
            return self._fold(app, [*base_layers(self._loaded, app, environment), *exceptions])
        key = (app.name, environment.name)
        if key not in self._parts:
            self._parts[key] = self._fold(app, list(base_layers(self._loaded, app, environment)))
        return self._parts[key]

    def _fold(self, app: App, layers: list[Layer]) -> Part:
        return part_of(app, fold(self._loaded, app, layers))

    def _target(self, app: App, cluster: Cluster, part: Part, roots: Mapping[str, Json]) -> Target:
        facts, folded, on = self._facts[app.name], part.folded, self._placed.clusters
        namespace = folded.namespace or namespace_name(app)
        return Target(
            fleet=self._loaded.fleet.name,
            cluster=cluster.name,
            environment=cluster.environment,
            app=app.name,
            namespace=namespace,
            create_namespace=app.create_namespace,
            owned_namespace=facts.owned_namespace,
            source=part.source,
            substitute=app.source.substitute,
            overlay=part.overlay,
            exclude=facts.exclude,
            variables={**roots, "app": {"name": app.name, "namespace": namespace}, "vars": folded.vars},
            depends_on=tuple(d for d in facts.dependencies if cluster.name in on[d]),
            policy=folded.policy,
            timeout=facts.timeout,
            adopt=app.adopt == "always",
            where=facts.where,
            source_where=folded.source_where,
            overlay_where=folded.overlay_where,
        )
