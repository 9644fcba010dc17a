"""Schemas of what is kept: plans in files."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.schema_parts import CODE, FLAG, OPTIONAL_TEXT, TEXT, TEXTS, mapping

Kind = tuple[Mapping[str, JsonObject], Mapping[str, JsonObject]]


def plan_file(plan: Mapping[str, JsonObject], optional: Mapping[str, JsonObject]) -> Kind:
    """Of a PlanFile; ``plan`` and ``optional`` are the parts of a Plan."""
    document = mapping({"apiVersion": {"const": API_VERSION}, **plan}, optional)
    return (
        {
            "id": TEXT,
            "fleetmgr": TEXT,
            "madeAt": TEXT,
            "actor": TEXT,
            "fleet": TEXT,
            "revision": TEXT,
            "exitCode": CODE,
            "reason": TEXT,
            "stale": FLAG,
            "staleReasons": TEXTS,
            "staleSince": OPTIONAL_TEXT,
            "notes": TEXTS,
            "plan": {"oneOf": [document, {"type": "null"}]},
        },
        {
            "selection": mapping(dict.fromkeys(("environments", "clusters", "apps", "selectors"), TEXTS)),
            "options": TEXTS,
            "text": TEXT,
        },
    )
