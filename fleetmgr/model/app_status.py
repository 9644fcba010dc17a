"""One app from near: its pods and what the clusters warn about, beside its objects."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.report import FleetStatus


class PodState(Struct, frozen=True, kw_only=True):
    """A pod that belongs to an object of the app. ``reason`` says why it does not run; "" when it does."""

    namespace: str
    name: str
    owner: str
    """The app's object that it comes from: ``Deployment shop/web``."""
    phase: str
    ready: int
    containers: int
    restarts: int
    node: str
    reason: str = ""
    since: str | None = None
    """RFC 3339: its creation."""


class Warned(Struct, frozen=True, kw_only=True):
    """A Warning event about an object of the app or what it made; ``last`` is RFC 3339."""

    object: str
    reason: str
    message: str
    count: int
    last: str


class Inside(Struct, frozen=True, kw_only=True):
    """An app inside one cluster. ``notes`` say what may not be read."""

    cluster: str
    pods: tuple[PodState, ...] = ()
    warnings: tuple[Warned, ...] = ()
    notes: tuple[str, ...] = ()


class AppStatus(Struct, frozen=True, kw_only=True):
    """``fleet status APP``: the status of that app alone, and its insides where it is."""

    app: str
    status: FleetStatus
    insides: tuple[Inside, ...]
