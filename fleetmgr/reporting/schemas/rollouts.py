"""Schemas of rollouts as the clusters remember them."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.reporting.schemas.parts import CODE, SECONDS, TEXT, TEXTS, TIME, listed, mapping, one_of, ref

_STEP = mapping(
    {
        "environment": TEXT,
        "wave": TEXT,
        "state": {"enum": ["done", "current", "to come"]},
        "soak": SECONDS,
        "clusters": listed(mapping({"name": TEXT, "phase": TEXT, "message": TEXT})),
    }
)
_ROLLOUT: JsonObject = mapping(
    {
        "id": TEXT,
        "planId": TEXT,
        "revision": TEXT,
        "actor": TEXT,
        "startedAt": TIME,
        "updatedAt": TIME,
        "status": one_of(RolloutStatus),
        "why": TEXT,
        "steps": listed(_STEP),
        "requests": listed(mapping({"kind": TEXT, "who": TEXT, "why": TEXT, "at": TIME})),
    }
)
_UNHEARD = listed(mapping({"name": TEXT, "environment": TEXT, "error": ref("problem")}))
ROLLOUTS = (
    {"fleet": TEXT, "exitCode": CODE, "rollouts": listed(_ROLLOUT), "asked": TEXTS, "unheard": _UNHEARD},
    dict[str, JsonObject](),
)
ROLLOUT = ({"exitCode": CODE, "rollout": _ROLLOUT, "unheard": _UNHEARD}, dict[str, JsonObject]())
