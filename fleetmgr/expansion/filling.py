"""``${...}`` of fleet.yaml filled in, per cluster and only where there is any; source paths made canonical."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.errors import Problem, Where
from fleetmgr.expansion.layers import Folded, base_layers, exception_layers
from fleetmgr.expansion.variables import Undefined, fill, fill_text, mentions
from fleetmgr.model.jsontypes import Json
from fleetmgr.model.target import FetchRequest, Overlay, RemoteHost, Target
from fleetmgr.spec.suggest import suggest

if TYPE_CHECKING:
    from fleetmgr.spec import App, Cluster, Environment, LoadedFleet

UNDEFINED = "FLT-1103"
BAD_PATH = "FLT-1106"


class Part(Struct, frozen=True, kw_only=True):
    """An app in one environment (or on one cluster with exceptions), folded; ``late_*`` say what still
    holds ``${``."""

    folded: Folded
    overlay: Overlay
    source: FetchRequest
    late_vars: bool
    late_overlay: bool
    late_source: bool


def part_of(app: App, folded: Folded) -> Part:
    """The parts of a Target that do not depend on the cluster."""
    return Part(
        folded=folded,
        overlay=Overlay(
            namespace=folded.namespace,
            images=folded.images,
            replicas=folded.replicas,
            labels=folded.labels,
            annotations=folded.annotations,
            name_prefix=folded.name_prefix,
            name_suffix=folded.name_suffix,
            patches=folded.patches,
        ),
        source=FetchRequest(
            type=app.source.type,
            path=folded.source_path,
            revision=folded.revision,
            recurse=app.source.recurse,
            include=app.source.include,
            exclude=app.source.exclude,
            allow_remote=tuple(
                RemoteHost(host=host)
                if isinstance(host, str)
                else RemoteHost(host=host.host, private=host.private, insecure=host.insecure)
                for host in app.source.allow_remote
            ),
        ),
        late_vars=mentions(folded.vars),
        late_overlay=any(
            mentions(part)
            for part in (
                *(folded.images, folded.labels, folded.annotations),
                *(folded.name_prefix, folded.name_suffix),
            )
        ),
        late_source=mentions(folded.source_path) or mentions(folded.revision),
    )


class Filling:
    """Fills the variables of one load; equal FetchRequests are made once."""

    def __init__(self, loaded: LoadedFleet) -> None:
        """Nothing is read before it is asked for."""
        self._loaded = loaded
        self._requests: dict[FetchRequest, FetchRequest | None] = {}

    def roots(self, cluster: Cluster, environment: Environment, problems: list[Problem]) -> dict[str, Json]:
        """The roots cluster, environment and fleet.

        Vars of a cluster may use its name and labels; vars of an environment the cluster's vars as well.
        """
        fleet = {"name": self._loaded.fleet.name}
        named = {"name": environment.name}
        own: dict[str, Json] = {"name": cluster.name, "labels": cluster.labels}
        at = ("clusters", cluster.name, "vars")
        known: dict[str, Json] = {"fleet": fleet, "environment": named, "cluster": own}
        own = {**own, "vars": self._values(cluster.vars, known, self._in(*at), problems)}
        at = ("environments", environment.name, "vars")
        known = {"fleet": fleet, "environment": named, "cluster": own}
        shared = {**named, "vars": self._values(environment.vars, known, self._in(*at), problems)}
        return {"fleet": fleet, "environment": shared, "cluster": own}

    def fill(self, target: Target, part: Part, problems: list[Problem]) -> Target:
        """``target`` with nothing left to fill; its problems are appended."""
        if part.late_vars:
            known = {k: v for k, v in target.variables.items() if k != "vars"}
            places = self._places_of_vars(target)
            values = self._values(target.variables["vars"], known, places, problems, target)
            target = replace(target, variables={**known, "vars": values})
        if part.late_overlay:
            target = replace(target, overlay=self._overlay(target, problems))
        source = self._source(target, part, problems)
        return target if source is target.source else replace(target, source=source)

    def _in(self, *path: str) -> Callable[[str], Where]:
        return lambda key: self._loaded.where(*path, key)

    def _places_of_vars(self, target: Target) -> Callable[[str], Where]:
        """The last layer that sets a var; looked up only for a message."""

        def where(key: str) -> Where:
            app = next(a for a in self._loaded.fleet.apps if a.name == target.app)
            environment = next(e for e in self._loaded.fleet.environments if e.name == target.environment)
            layers = [
                *base_layers(self._loaded, app, environment),
                *exception_layers(self._loaded, app, environment, target.cluster),
            ]
            path = [layer.path for layer in layers if key in layer.vars][-1]
            return self._loaded.where(*path, "vars", key)

        return where

    def _values(
        self,
        values: Mapping[str, Json],
        roots: Mapping[str, Json],
        where: Callable[[str], Where],
        problems: list[Problem],
        target: Target | None = None,
    ) -> Mapping[str, Json]:
        if not mentions(values):
            return values
        filled: dict[str, Json] = {}
        for key, value in values.items():
            try:
                filled[key] = fill(value, roots)
            except Undefined as error:
                problems.append(_undefined(error, where(key), target))
        return filled

    def _overlay(self, target: Target, problems: list[Problem]) -> Overlay:
        def filled(name: str, values: Mapping[str, str]) -> dict[str, str]:
            result: dict[str, str] = {}
            for key, value in values.items():
                try:
                    result[key] = fill_text(value, target.variables)
                except Undefined as error:
                    problems.append(_undefined(error, target.overlay_where[f"{name}.{key}"], target))
            return result

        def filled_name(key: str, value: str) -> str:
            try:
                return fill_text(value, target.variables)
            except Undefined as error:
                problems.append(_undefined(error, target.overlay_where[key], target))
                return value

        overlay = target.overlay
        return replace(
            overlay,
            name_prefix=filled_name("namePrefix", overlay.name_prefix),
            name_suffix=filled_name("nameSuffix", overlay.name_suffix),
            images=filled("images", overlay.images),
            labels=filled("labels", overlay.labels),
            annotations=filled("annotations", overlay.annotations),
        )

    def _source(self, target: Target, part: Part, problems: list[Problem]) -> FetchRequest:
        source = part.source
        if part.late_source:
            try:
                revision = source.revision and fill_text(source.revision, target.variables)
                source = replace(source, path=fill_text(source.path, target.variables), revision=revision)
            except Undefined as error:
                problems.append(_undefined(error, target.source_where, target))
                return source
        if source not in self._requests:
            self._requests[source] = _canonical(source)
        request = self._requests[source]
        if request is None:
            message = f"source path `{source.path[:200]}` of app `{target.app}` leaves the repository"
            hint = "give a path below the folder of fleet.yaml, with `/` between folders"
            problems.append(Problem(message=message, where=target.source_where, hint=hint, code=BAD_PATH))
            return source
        return request


def _canonical(source: FetchRequest) -> FetchRequest | None:
    """``./apps//web/`` -> ``apps/web``; None for a path that is absolute or leads out."""
    if source.path.startswith(("/", "~")) or "\\" in source.path:
        return None
    path = posixpath.normpath(source.path)
    if path == ".." or path.startswith("../"):
        return None
    return source if path == source.path else replace(source, path=path)


def _undefined(error: Undefined, where: Where, target: Target | None) -> Problem:
    at = f" for {target.name}" if target else ""
    hint = (
        suggest(error.expression.rpartition(".")[2], error.known, what="known here") if error.known else None
    )
    message = f"`${{{error.expression[:200]}}}` {error.reason}{at}"
    return Problem(message=message, where=where, hint=hint, code=UNDEFINED)
