"""A run as it goes, one JSON document a line: events, then the result. ASCII only, like all our JSON."""

from __future__ import annotations

import json
from typing import assert_never

from fleetmgr.model.event import (
    ClusterEvent,
    ClusterFinished,
    ClusterStarted,
    Event,
    LockAwaited,
    ObjectChanged,
    ObjectFailed,
    RolloutStopped,
    Soaking,
    Waiting,
    WaveStarted,
)
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.plan_data import object_data
from fleetmgr.reporting.problems import API_VERSION, problem_data


def document_line(data: JsonObject) -> str:
    """One document on one line."""
    return json.dumps(data, separators=(",", ":")) + "\n"


def event_data(event: Event, *, time: str) -> JsonObject:
    """An event; ``kind`` is its name, ``time`` RFC 3339 in UTC."""
    data: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": type(event).__name__,
        "time": time,
    }
    match event:
        case WaveStarted():
            wave = {"environment": event.environment, "wave": event.wave}
            return data | wave | {"number": event.number, "of": event.of, "clusters": list(event.clusters)}
        case Soaking():
            return data | {
                "environment": event.environment,
                "wave": event.wave,
                "seconds": round(event.seconds, 3),
            }
        case RolloutStopped():
            return data | {"rollout": event.rollout, "status": event.status, "why": event.why}
        case _:
            return data | {"cluster": event.cluster} | _of_cluster(event)


def _of_cluster(event: ClusterEvent) -> JsonObject:
    match event:
        case ClusterStarted():
            return {"phase": event.phase} | ({"objects": event.objects} if event.objects else {})
        case ObjectChanged():
            return {"app": event.app, "op": event.op.value, **object_data(event.ref)}
        case ObjectFailed():
            return {"app": event.app, **object_data(event.ref), "error": problem_data(event.problem)}
        case Waiting():
            return {
                "app": event.app,
                "ready": event.ready,
                "total": event.total,
                "message": event.message,
            }
        case LockAwaited():
            return {"holder": event.holder}
        case ClusterFinished():
            return {
                "phase": event.phase,
                "exitCode": int(event.exit_code),
                "summary": event.summary,
            }
        case _:
            assert_never(event)
