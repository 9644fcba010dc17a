"""``limits`` of fleet.yaml, folded for one cluster entry. Guards do not layer: the strictest of environment, cluster
and app holds; ``defaults`` hold where none of them says anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from fleetmgr.model.limits import Allowance, AppLimits, ClusterLimits, allowance

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet
    from fleetmgr.spec.limits import Limits

Said: TypeAlias = "tuple[str, Limits]"
"""Whose limits: ``environment prod``."""


def limits_of(loaded: LoadedFleet, cluster: Cluster) -> ClusterLimits:
    """What a plan for ``cluster`` may delete."""
    fleet = loaded.fleet
    environment = next(e for e in fleet.environments if e.name == cluster.environment)
    said = list(
        _said(
            (f"environment {environment.name}", environment.limits),
            (f"cluster {cluster.name}", cluster.limits),
        )
    )
    fallback = list(_said(("defaults", fleet.defaults.limits)))
    binding = tuple(_allowances(said))
    apps = {
        app.name: list(_said((f"app {app.name}", app.limits))) for app in fleet.apps if app.limits is not None
    }
    return ClusterLimits(
        max_deletes=binding or tuple(_allowances(fallback)),
        binding=bool(binding),
        allow_empty=_allow_empty(said, fallback),
        apps={
            name: AppLimits(
                max_deletes=next(_allowances(own), None), allow_empty=_allow_empty([*said, *own], fallback)
            )
            for name, own in apps.items()
        },
    )


def _said(*limits: tuple[str, Limits | None]) -> Iterator[Said]:
    return ((who, given) for who, given in limits if given is not None)


def _allowances(said: Sequence[Said]) -> Iterator[Allowance]:
    for who, limits in said:
        found = None if limits.max_deletes is None else allowance(str(limits.max_deletes), said_by=who)
        if found is not None:
            yield found


def _allow_empty(said: Sequence[Said], fallback: Sequence[Said]) -> bool:
    """Allowed where everybody who says something allows it."""
    for layer in (said, fallback):
        answers = [limits.allow_empty for _, limits in layer if limits.allow_empty is not None]
        if answers:
            return all(answers)
    return False
