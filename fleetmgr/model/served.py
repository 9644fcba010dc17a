"""What a cluster says of its kinds, as far as the identity of objects depends on it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from fleetmgr.model.objects import GroupKind


class ServedKind(Struct, frozen=True, kw_only=True):
    """``versions`` are all that are served."""

    namespaced: bool
    versions: tuple[str, ...]


Served = Mapping[GroupKind, ServedKind]
