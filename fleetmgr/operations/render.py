"""From the fleet to Stacks: expand, fetch each distinct source once, render. Offline, all problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from fleetmgr.errors import FleetError, InvalidInput, Problem, Refused
from fleetmgr.expansion import expand_cluster
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.resource import Stack
from fleetmgr.model.target import FetchRequest, Target
from fleetmgr.ports.source_fetcher import SourceFetcher
from fleetmgr.rendering.cache import ParseCache
from fleetmgr.rendering.stack import render_stack

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet


def render(loaded: LoadedFleet, fetcher: SourceFetcher, clusters: Sequence[Cluster]) -> Iterator[Stack]:
    """The Stacks of ``clusters``, every app of each, one at a time so that memory stays flat.

    Raises InvalidInput with the problems of all clusters (after the good Stacks were yielded), and Refused
    when a source links outside the repository.
    """
    artifacts: dict[FetchRequest, Artifact | Problem] = {}
    cache = ParseCache(fetcher)
    problems: dict[str, Problem] = {}
    for cluster in clusters:
        try:
            targets = expand_cluster(loaded, cluster.name)
            yield _stack(loaded, cluster, targets, _fetched(fetcher, targets, artifacts), cache)
        except InvalidInput as error:
            problems.update((str(p), p) for p in error.problems)
    if problems:
        raise InvalidInput(tuple(problems.values()))


def _stack(
    loaded: LoadedFleet,
    cluster: Cluster,
    targets: Sequence[Target],
    artifacts: dict[FetchRequest, Artifact],
    cache: ParseCache,
) -> Stack:
    return render_stack(
        fleet=loaded.fleet.name,
        cluster=cluster.name,
        environment=cluster.environment,
        targets=targets,
        artifacts=artifacts,
        cache=cache,
    )


def _fetched(
    fetcher: SourceFetcher, targets: Iterable[Target], known: dict[FetchRequest, Artifact | Problem]
) -> dict[FetchRequest, Artifact]:
    found: dict[FetchRequest, Artifact] = {}
    problems: list[Problem] = []
    for target in targets:
        artifact = known.get(target.source)
        if artifact is None:
            artifact = known[target.source] = _fetch(fetcher, target.source)
        if isinstance(artifact, Problem):
            problems.append(_at(target, artifact))
        else:
            found[target.source] = artifact
    if problems:
        raise InvalidInput(tuple(problems))
    return found


def _fetch(fetcher: SourceFetcher, request: FetchRequest) -> Artifact | Problem:
    try:
        return fetcher.fetch(request)
    except Refused:
        raise
    except FleetError as error:
        return error.problem()


def _at(target: Target, problem: Problem) -> Problem:
    """A source that cannot be read, told for which environment: at its own place, else where the path is."""
    message = f"app {target.app} in environment {target.environment}: {problem.message}"
    return replace(problem, message=message, where=problem.where or target.source_where)
