"""Selections of the command line against the fleet: unknown names and empty results are usage errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from fleetmgr.errors import UsageError
from fleetmgr.expansion.expand import expansion_of
from fleetmgr.model.selection import Selection
from fleetmgr.model.selector import Selector, SelectorError, parse_selector
from fleetmgr.model.target import Target
from fleetmgr.spec.suggest import suggest

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet


class UnknownSelection(UsageError):
    """A flag names something that the fleet does not have."""

    code: ClassVar[str] = "FLT-6410"


class EmptySelection(UsageError):
    """Every name is known, but together they select nothing."""

    code: ClassVar[str] = "FLT-6411"


EVERYTHING = Selection()


def clusters(loaded: LoadedFleet, selection: Selection = EVERYTHING) -> tuple[Cluster, ...]:
    """The selected entries, in the order of the fleet; with apps, entries that get one of them.

    Raises UnknownSelection and EmptySelection (exit 64), and InvalidInput for a fleet that cannot be
    expanded.
    """
    fleet = loaded.fleet
    _expect(selection.environments, (e.name for e in fleet.environments), "environment")
    _expect(selection.clusters, (c.name for c in fleet.clusters), "cluster")
    _expect(selection.apps, (a.name for a in fleet.apps), "app")
    selectors = [_selector(text) for text in selection.selectors]
    chosen = tuple(c for c in fleet.clusters if _chosen(c, selection, selectors))
    if selection.apps:
        expansion = expansion_of(loaded)
        on = frozenset[str]().union(*(expansion.placed_on(app) for app in selection.apps))
        chosen = tuple(c for c in chosen if c.name in on)
    if not chosen:
        raise EmptySelection(
            f"nothing matches {_shown(selection)}", hint="names of different flags must all hold on a cluster"
        )
    return chosen


def expand(loaded: LoadedFleet, selection: Selection = EVERYTHING) -> tuple[Target, ...]:
    """The selected Targets, sorted by (cluster order, app order). Raises as ``clusters`` does."""
    apps = frozenset(selection.apps)
    targets = (t for c in clusters(loaded, selection) for t in expand_cluster(loaded, c.name))
    return tuple(t for t in targets if not apps or t.app in apps)


def expand_cluster(loaded: LoadedFleet, cluster_name: str) -> tuple[Target, ...]:
    """The Targets of all apps of one entry, dependencies first. Raises InvalidInput, UnknownSelection."""
    expansion = expansion_of(loaded)
    if not expansion.has(cluster_name):
        _expect((cluster_name,), (c.name for c in loaded.fleet.clusters), "cluster")
    return expansion.targets(cluster_name)


def _expect(names: Sequence[str], known: Iterable[str], word: str) -> None:
    if not names:
        return
    declared = tuple(known)
    for name in names:
        if name not in declared:
            hint = suggest(name, declared, what=f"{word}s")
            raise UnknownSelection(f"there is no {word} `{name}` in this fleet", hint=hint)


def _selector(text: str) -> Selector:
    try:
        return parse_selector(text)
    except SelectorError as error:
        hint = "a Kubernetes selector such as 'region in (kr, us), !legacy'"
        raise UnknownSelection(f"--selector {text!r}: {error}", hint=hint) from None


def _chosen(cluster: Cluster, selection: Selection, selectors: Sequence[Selector]) -> bool:
    return (
        (not selection.environments or cluster.environment in selection.environments)
        and (not selection.clusters or cluster.name in selection.clusters)
        and all(s.matches(cluster.labels) for s in selectors)
    )


def _shown(selection: Selection) -> str:
    if selection.everything:
        return "this fleet: it has no clusters"
    flags = (
        ("--environment", selection.environments),
        ("--cluster", selection.clusters),
        ("--app", selection.apps),
        ("--selector", selection.selectors),
    )
    return " ".join(f"{flag} {name}" for flag, names in flags for name in names)
