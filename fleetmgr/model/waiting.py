"""What holds every app and cluster up, or would if something were to be written."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.health import Health
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.order import AppOrder


class WaitState(StrEnum):
    """How bad a wait is. Order = best first."""

    CLEAR = "clear"
    """There is nothing to wait for."""
    IN_ORDER = "in-order"
    """An apply does it first and then goes on."""
    WAITING = "waiting"
    """Something is under way: time alone may end it."""
    STUCK = "stuck"
    """Somebody has to do something."""


_BEST_FIRST = tuple(WaitState)


def worst_wait(states: Iterable[WaitState]) -> WaitState:
    """The worst of them; CLEAR for none."""
    return max(states, key=_BEST_FIRST.index, default=WaitState.CLEAR)


class WaitKind(StrEnum):
    """What is waited for."""

    APP = "app"
    """Another app of the cluster (``dependsOn``): written and Healthy."""
    HOOK = "hook"
    """A hook of the same app, to its end."""
    SYNC_WAVE = "sync-wave"
    """An earlier wave of the same app, Healthy."""
    DEPENDS_ON = "depends-on"
    """Objects of the same wave that others name as their dependency, Healthy."""
    HEALTH = "health"
    """The app's own objects: nothing is left to write."""
    OBJECT = "object"
    """Objects that cannot be written: in conflict, or refused by the server."""
    CONFIRMATION = "confirmation"
    """Somebody's yes to deletes."""
    REFUSAL = "refusal"
    """A guard refuses the apply (delete budget, empty selection, ...)."""
    ENVIRONMENT = "environment"
    """Clusters of an earlier environment."""
    WAVE = "wave"
    """Clusters of an earlier wave of the same environment."""
    WINDOW = "window"
    """A window that is closed."""
    ROLLOUT = "rollout"
    """A rollout that the clusters remember: its soak, a pause, failures."""
    LOCK = "lock"
    """Another run holds the cluster."""


class Wait(Struct, frozen=True, kw_only=True):
    """One thing that is waited for. ``on`` names it: an app, a step of a rollout, a sync wave, who holds a lock.

    ``objects`` are those that wait, where not the whole app does; ``until`` (RFC 3339) is when it ends by itself, ""
    where nobody knows; ``hint`` is what to do about it, "" where nothing needs to be done.
    """

    kind: WaitKind
    on: str
    state: WaitState
    why: str
    hint: str = ""
    until: str = ""
    objects: tuple[ObjectRef, ...] = ()


class AppWaiting(Struct, frozen=True, kw_only=True):
    """One app on one cluster. ``pending`` counts what an apply would write of it; with 0, ``waits`` are what its next
    change would wait for, and only its own health makes its ``state``."""

    app: str
    health: Health
    pending: int
    state: WaitState
    order: AppOrder
    waits: tuple[Wait, ...] = ()


class ClusterWaiting(Struct, frozen=True, kw_only=True):
    """One cluster: ``waits`` hold up everything that is to be written there. ``notes``: what could not be read."""

    cluster: str
    environment: str
    state: WaitState = WaitState.CLEAR
    waits: tuple[Wait, ...] = ()
    apps: tuple[AppWaiting, ...] = ()
    failure: ClusterFailure | None = None
    notes: tuple[str, ...] = ()


class FleetWaiting(Struct, frozen=True, kw_only=True):
    """``fleet explain --waiting``; ``clusters`` as in fleet.yaml. ``at`` is RFC 3339."""

    fleet: str
    revision: str
    at: str
    clusters: tuple[ClusterWaiting, ...]
