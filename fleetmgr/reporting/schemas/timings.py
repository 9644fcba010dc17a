"""The schema of ``timings``, which documents hold when --timings asks for them."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.schemas.parts import COUNT, SECONDS, TEXT, listed, mapping

_PHASES: JsonObject = {"type": "object", "additionalProperties": SECONDS}
_REQUESTS: JsonObject = {
    "type": "object",
    "additionalProperties": mapping({"count": COUNT, "seconds": SECONDS, "slowest": SECONDS}),
}
_SPENT = {"phases": _PHASES, "requests": _REQUESTS}
TIMINGS: Mapping[str, JsonObject] = {
    "timings": mapping({"seconds": SECONDS, **_SPENT, "clusters": listed(mapping({"name": TEXT, **_SPENT}))})
}
"""An optional key of documents about a run."""
