"""A run as it goes, one JSON document a line: events, then the result. ASCII only, like all our JSON."""

from __future__ import annotations

import json
from typing import assert_never

from fleetmgr.model.event import (
    ClusterFinished,
    ClusterStarted,
    Event,
    LockAwaited,
    ObjectChanged,
    ObjectFailed,
    Waiting,
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
        "cluster": event.cluster,
    }
    match event:
        case ClusterStarted():
            return data | {"phase": event.phase} | ({"objects": event.objects} if event.objects else {})
        case ObjectChanged():
            return data | {"app": event.app, "op": event.op.value, **object_data(event.ref)}
        case ObjectFailed():
            return data | {"app": event.app, **object_data(event.ref), "error": problem_data(event.problem)}
        case Waiting():
            return data | {
                "app": event.app,
                "ready": event.ready,
                "total": event.total,
                "message": event.message,
            }
        case LockAwaited():
            return data | {"holder": event.holder}
        case ClusterFinished():
            return data | {
                "phase": event.phase,
                "exitCode": int(event.exit_code),
                "summary": event.summary,
            }
        case _:
            assert_never(event)
