"""What several kinds of output hold, defined once in a schema and referred to."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.change import Left
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.schemas.parts import COUNT, ERROR_CODE, TEXT, mapping, one_of, ref

_LEFT_TO: Mapping[str, JsonObject] = {"manager": TEXT, "why": one_of(Left)}
DEFINITIONS: Mapping[str, JsonObject] = {
    "problem": mapping(
        {"code": ERROR_CODE, "message": TEXT},
        {"hint": TEXT, "where": ref("where")},
    ),
    "where": mapping(
        {},
        {"file": TEXT, "line": COUNT, "column": COUNT, "cluster": TEXT, "object": TEXT, "field": TEXT},
    ),
    "object": mapping(dict.fromkeys(("group", "version", "kind", "namespace", "name"), TEXT)),
    "left": {
        "oneOf": [
            mapping({"path": TEXT, "live": {}, "desired": {}, **_LEFT_TO}, {"since": TEXT}),
            mapping({"path": TEXT, "sensitive": {"const": True}, **_LEFT_TO}, {"since": TEXT}),
        ]
    },
    "health": mapping({"status": one_of(HealthStatus), "message": TEXT}),
    "field": {
        "oneOf": [
            mapping({"path": TEXT, "old": {}, "new": {}}, {"reset": {"const": True}}),
            mapping({"path": TEXT, "sensitive": {"const": True}}),
        ]
    },
}
