"""The same change on several clusters, so that people read it once."""

from __future__ import annotations

from dataclasses import dataclass

from fleetmgr.model.change import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """``change`` stands for all of them; ``clusters`` in plan order, at least one."""

    change: Change
    clusters: tuple[str, ...]
