"""The same change on several clusters, so that people read it once."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.change import Change


class ChangeGroup(Struct, frozen=True, kw_only=True):
    """``change`` stands for all of them; ``clusters`` in plan order, at least one."""

    change: Change
    clusters: tuple[str, ...]
