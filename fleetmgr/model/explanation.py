"""Why a Target is as it is: each value with the layer that set it."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import Json


class ExplainedValue(Struct, frozen=True, kw_only=True):
    """A value of a Target, the layer that set it last, and where that was written (None: built in)."""

    key: str
    value: Json
    layer: str
    where: Where | None = None
