"""What a cluster remembers of the runs on one of its apps."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

DONE = "done"
"""Everything that was to be written was, and it became Healthy where it was waited for."""
FAILED = "failed"
UNHEALTHY = "unhealthy"
"""Everything was written, but it was not Healthy in time."""
INTERRUPTED = "interrupted"
"""Not everything was written, though nothing failed: the run was stopped."""


class RunResult(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How one apply of an app on one cluster went. ``at`` is RFC 3339.

    ``outcome`` is one of the words above, and a later version may know more of them. ``counts`` has how many objects
    were written by op (``create``, ...), and how many were not (``failed``, ``skipped``). ``reason`` says why it
    did not go well, ``dirty_reason`` why uncommitted files were applied. ``revision`` is the pinned one of the app's
    source where it has one, ``fleet_revision`` always that of fleet.yaml and its overlays ("" where an early version
    wrote it).
    """

    at: str
    outcome: str
    plan_id: str = ""
    revision: str = ""
    actor: str = ""
    reason: str = ""
    dirty_reason: str = ""
    fleet_revision: str = ""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
