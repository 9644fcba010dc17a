"""Which clusters of an environment are in which wave. Every cluster is in exactly one: the first that fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fleetmgr.errors import Problem
from fleetmgr.model.rollout import Wave
from fleetmgr.model.selector import Selector, SelectorError, selector_of
from fleetmgr.spec.suggest import suggest
from fleetmgr.spec.yaml_tree import Key

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet
    from fleetmgr.spec.rollout import Amount
    from fleetmgr.spec.rollout import Wave as WaveSpec

UNCOVERED = "FLT-1120"
AMBIGUOUS = "FLT-1121"
SAME_NAME = "FLT-1122"
NOT_THERE = "FLT-1123"
BAD_SELECTOR = "FLT-1105"
_SHOWN = 5


def resolved(amount: Amount | None, total: int) -> int | None:
    """A number of clusters; a percentage is of ``total``, rounded up."""
    if isinstance(amount, str):
        return -(-int(amount.removesuffix("%")) * total // 100)
    return amount


def waves_of(
    loaded: LoadedFleet, environment: str, written: Sequence[WaveSpec], problems: list[Problem]
) -> tuple[Wave, ...]:
    """The waves of ``environment``, empty ones included; without any, one of all clusters.

    What is wrong is appended to ``problems``; then the answer does not count.
    """
    clusters = [c for c in loaded.fleet.clusters if c.environment == environment]
    if not written:
        return (Wave(name="", clusters=tuple(c.name for c in clusters)),)
    path = ("environments", environment, "rollout", "waves")
    found = list(_misplaced(loaded, written, clusters, path))
    left = list(clusters)
    waves: list[Wave] = []
    for index, wave in enumerate(written):
        try:
            chosen = _chosen(wave, left, len(clusters))
        except SelectorError as error:
            where = loaded.where(*path, index, "select")
            hint = "a Kubernetes selector such as `tier=canary`"
            message = f"`select` of wave `{wave.name}`: {error}"
            found.append(Problem(message=message, where=where, hint=hint, code=BAD_SELECTOR))
            continue
        taken = dict.fromkeys(c.name for c in chosen)
        waves.append(Wave(name=wave.name, clusters=tuple(taken)))
        left = [c for c in left if c.name not in taken]
    if left and not found:
        found.append(_uncovered(loaded, environment, left))
    problems += found
    return tuple(waves)


def _chosen(wave: WaveSpec, left: Sequence[Cluster], total: int) -> list[Cluster]:
    """What the wave takes of those that are left."""
    if wave.clusters is not None:
        named = frozenset(wave.clusters)
        return [c for c in left if c.name in named]
    if wave.count is not None:
        return list(left[: resolved(wave.count, total)])
    selector = Selector() if wave.select is None else selector_of(wave.select)
    return [c for c in left if selector.matches(c.labels)]


def _misplaced(
    loaded: LoadedFleet, written: Sequence[WaveSpec], clusters: Sequence[Cluster], path: tuple[Key, ...]
) -> Iterator[Problem]:
    """Waves of one name, that select in two ways or take all before the last, and clusters of elsewhere."""
    names: dict[str, str] = {}
    for index, wave in enumerate(written):
        where = loaded.where(*path, index, "name")
        if wave.name in names:
            message = f"wave `{wave.name}` is declared twice, first at {names[wave.name]}"
            yield Problem(message=message, where=where, hint="give it another name", code=SAME_NAME)
        names.setdefault(wave.name, str(where))
        ways = [way for way in ("select", "count", "clusters") if getattr(wave, way) is not None]
        if len(ways) > 1:
            message = f"wave `{wave.name}` selects by {' and by '.join(f'`{way}`' for way in ways)}"
            where = loaded.where(*path, index, ways[1])
            yield Problem(message=message, where=where, hint="keep one of them", code=AMBIGUOUS)
        if not ways and index < len(written) - 1:
            message = f"wave `{wave.name}` takes every cluster that is left: none is for `{written[-1].name}`"
            hint = "only the last wave may go without `select`, `count` and `clusters`"
            yield Problem(message=message, where=where, hint=hint, code=AMBIGUOUS)
        yield from _elsewhere(loaded, wave, clusters, (*path, index, "clusters"))


def _elsewhere(
    loaded: LoadedFleet, wave: WaveSpec, clusters: Sequence[Cluster], path: tuple[Key, ...]
) -> Iterator[Problem]:
    own = dict.fromkeys(c.name for c in clusters)
    for index, name in enumerate(wave.clusters or ()):
        if name not in own:
            environment = path[1]
            message = f"there is no cluster `{name[:80]}` in environment `{environment}`"
            hint = suggest(name, own, what=f"clusters of {environment}")
            yield Problem(message=message, where=loaded.where(*path, index), hint=hint, code=NOT_THERE)


def _uncovered(loaded: LoadedFleet, environment: str, left: Sequence[Cluster]) -> Problem:
    shown = ", ".join(c.name for c in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return Problem(
        message=f"no wave of environment `{environment}` has {shown}{more}",
        where=loaded.where("environments", environment, "rollout", "waves"),
        hint="end with a wave that has a name only: it takes the rest",
        code=UNCOVERED,
    )
