"""In which order an apply works on one cluster, as data: what waits for what, and why."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.objects import ObjectRef


class OrderStep(Struct, frozen=True, kw_only=True):
    """Objects of one app that may be written (or hooks that may run) at the same time, but for the order of kinds.

    ``phase`` is Argo CD's (``PreSync`` ...); members are written in ``Sync``. ``waits_for`` says in a few words what
    must be before it begins, "" for nothing.
    """

    phase: str
    wave: int
    members: tuple[ObjectRef, ...] = ()
    hooks: tuple[ObjectRef, ...] = ()
    waits_for: str = ""


class AppOrder(Struct, frozen=True, kw_only=True):
    """One app: the apps that must be Healthy before it begins, and its steps. ``needed_by`` wait for it."""

    app: str
    after: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    steps: tuple[OrderStep, ...] = ()
