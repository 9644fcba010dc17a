"""What the schemas of our JSON are built of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from fleetmgr.errors import ExitCode
from fleetmgr.model.jsontypes import JsonObject

TEXT: JsonObject = {"type": "string"}
TEXTS: JsonObject = {"type": "array", "items": TEXT}
FLAG: JsonObject = {"type": "boolean"}
COUNT: JsonObject = {"type": "integer", "minimum": 0}
SECONDS: JsonObject = {"type": "number", "minimum": 0}
CODE: JsonObject = {"enum": sorted(int(code) for code in ExitCode)}
TIME: JsonObject = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
ERROR_CODE: JsonObject = {"type": "string", "pattern": r"^FLT-\d{4}$"}
OPTIONAL_TEXT: JsonObject = {"type": ["string", "null"]}

Kind = tuple[Mapping[str, JsonObject], Mapping[str, JsonObject]]
"""The keys that a document of one kind must hold, and those that it may."""


def ref(name: str) -> JsonObject:
    """A shared definition."""
    return {"$ref": f"#/$defs/{name}"}


def listed(items: JsonObject) -> JsonObject:
    """An array of these."""
    return {"type": "array", "items": items}


def one_of(values: type[StrEnum]) -> JsonObject:
    """The values of an enum."""
    return {"enum": [value.value for value in values]}


def mapping(
    required: Mapping[str, JsonObject], optional: Mapping[str, JsonObject] | None = None
) -> JsonObject:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def counts(*names: str) -> JsonObject:
    """An object of numbers, all there."""
    return mapping(dict.fromkeys(names, COUNT))


NAMED: Mapping[str, JsonObject] = {"resource": TEXT, "object": ref("object")}
CLUSTER: Mapping[str, JsonObject] = {"name": TEXT, "environment": TEXT, "exitCode": CODE}
WALK: Mapping[str, JsonObject] = {
    "fleet": TEXT,
    "revision": TEXT,
    "partial": FLAG,
    "exitCode": CODE,
    "reason": TEXT,
}
"""Of a document about one walk of the whole selection."""
