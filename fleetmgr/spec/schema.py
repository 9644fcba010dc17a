"""JSON Schema (draft 2020-12) of fleet.yaml and of overlay files, for editors.

Made from the models, so that what an editor offers is what this version obeys.
"""

from __future__ import annotations

from typing import Any, Literal

from fleetmgr.spec.fleet import Fleet
from fleetmgr.spec.loaded import SECTIONS
from fleetmgr.spec.overlay import Overlay
from fleetmgr.spec.plain import is_list, is_map

SchemaKind = Literal["fleet", "overlay"]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INCLUDE: dict[str, Any] = {
    "type": "object",
    "title": "Include",
    "description": "Takes the items of other files, each of which holds one item or a list.",
    "properties": {
        "include": {
            "description": "Globs relative to fleet.yaml, such as clusters/*.yaml.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        }
    },
    "required": ["include"],
    "additionalProperties": False,
}


def json_schema(kind: SchemaKind = "fleet") -> dict[str, Any]:
    """The schema of fleet.yaml, or of ``environments/<env>/<app>.yaml``."""
    model = Fleet if kind == "fleet" else Overlay
    schema = model.model_json_schema(by_alias=True)
    for definition in (schema, *schema["$defs"].values()):
        for field in definition.get("properties", {}).values():
            _tidy(field, schema["$defs"])
    if kind == "fleet":
        schema["$defs"]["Include"] = _INCLUDE
        for section in SECTIONS:
            listed = schema["properties"][section]
            listed["items"] = {"anyOf": [listed["items"], {"$ref": "#/$defs/Include"}]}
    return {"$schema": _DIALECT, **schema}


def _tidy(field: dict[str, Any], definitions: dict[str, Any]) -> None:
    """An unset field is left out, never null; titles repeat names; pydantic drops a description that the
    referenced model has as well, and an editor shows it at the field."""
    field.pop("title", None)
    if not isinstance(field.get("default"), (str, bool)) or field["default"] == "":
        field.pop("default", None)
    if "$ref" in field and "description" not in field:
        field["description"] = definitions[field["$ref"].rpartition("/")[2]]["description"]
    options = field.get("anyOf")
    if is_list(options):
        kept = [option for option in options if not (is_map(option) and option.get("type") == "null")]
        field["anyOf"] = kept
        if len(kept) == 1:
            del field["anyOf"]
            field.update({k: v for k, v in kept[0].items() if k not in field})
