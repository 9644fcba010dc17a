"""Who performs changes on a cluster entry right now: a coordination.k8s.io/v1 Lease as read back, and its holder."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

DURATION = 30.0
"""Seconds without a renewal, as somebody else observes them, after which a lease is nobody's any more."""
RENEW_EVERY = 8.0
"""Seconds between renewals."""
DOUBTFUL = 20.0
"""Seconds since the last renewal after which its own holder writes nothing before it has renewed again."""


class Holder(Struct, frozen=True, kw_only=True):
    """A run that changes clusters. ``process`` tells processes of one machine apart (see ``ports.processes``)."""

    actor: str
    host: str = ""
    pid: int = 0
    command: str = ""
    process: str = ""


class Lease(Struct, frozen=True, kw_only=True):
    """A lease as it was read. ``identity`` "" = free. ``since`` and ``renewed`` are RFC 3339 by the holder's clock:
    for people, never for decisions. ``transitions`` grows with every holder: the fencing token."""

    name: str
    version: str
    """resourceVersion."""
    uid: str = ""
    identity: str = ""
    holder: Holder | None = None
    plan_id: str = ""
    since: str = ""
    renewed: str = ""
    transitions: int = 0
    duration: float = DURATION
    unlocked: Mapping[str, str] = field(default_factory=dict[str, str])
    """Annotations of the last ``fleet unlock``: who, when, why. Kept for ever."""
