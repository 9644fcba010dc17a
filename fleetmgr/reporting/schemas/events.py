"""Schemas of the lines that ``-o ndjson`` prints before the result."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.change import Op
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.reporting.schemas.parts import CODE, COUNT, NAMED, SECONDS, TEXT, TEXTS, one_of, ref

_PHASE: JsonObject = {"enum": ["preview", "apply", "verify", "rollback"]}
OF_CLUSTERS: Mapping[str, Mapping[str, JsonObject]] = {
    "ClusterStarted": {"phase": _PHASE},
    "ObjectChanged": {"app": TEXT, "op": one_of(Op), **NAMED},
    "ObjectFailed": {"app": TEXT, **NAMED, "error": ref("problem")},
    "Waiting": {"app": TEXT, "ready": COUNT, "total": COUNT, "message": TEXT},
    "LockAwaited": {"holder": TEXT},
    "ClusterFinished": {"phase": _PHASE, "exitCode": CODE, "summary": TEXT},
}
_WAVE = {"environment": TEXT, "wave": TEXT}
OF_ROLLOUTS: Mapping[str, Mapping[str, JsonObject]] = {
    "WaveStarted": {**_WAVE, "number": COUNT, "of": COUNT, "clusters": TEXTS},
    "Soaking": {**_WAVE, "seconds": SECONDS},
    "RolloutStopped": {"rollout": TEXT, "status": one_of(RolloutStatus), "why": TEXT},
}
OPTIONAL: Mapping[str, Mapping[str, JsonObject]] = {"ClusterStarted": {"objects": COUNT}}
