"""Schemas of what is kept: plans in files, and what clusters remember."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.schemas.parts import (
    CODE,
    COUNT,
    FLAG,
    OPTIONAL_TEXT,
    TEXT,
    TEXTS,
    Kind,
    counts,
    listed,
    mapping,
    ref,
)


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


RUN: tuple[Mapping[str, JsonObject], Mapping[str, JsonObject]] = (
    {
        **dict.fromkeys(("at", "outcome", "planId", "revision", "actor"), TEXT),
        "counts": {"type": "object", "additionalProperties": COUNT},
    },
    {"reason": TEXT, "dirtyReason": TEXT, "fleetRevision": TEXT},
)
HISTORY: Kind = (
    {
        "fleet": TEXT,
        "app": OPTIONAL_TEXT,
        "exitCode": CODE,
        "reason": TEXT,
        "summary": counts("clusters", "unreachable", "runs"),
        "runs": listed(
            mapping(
                {"app": TEXT, **RUN[0], "clusters": listed(mapping({"name": TEXT, "at": TEXT}))},
                RUN[1],
            )
        ),
        "clusters": listed(
            mapping(
                {
                    "name": TEXT,
                    "environment": TEXT,
                    "exitCode": CODE,
                    "apps": listed(
                        mapping(
                            {
                                "name": TEXT,
                                **dict.fromkeys(("revision", "appliedAt", "healthySince"), OPTIONAL_TEXT),
                            }
                        )
                    ),
                },
                {"error": ref("problem")},
            )
        ),
    },
    {},
)


FLEET_ADOPTION: Kind = (
    {
        "fleet": TEXT,
        "before": TEXT,
        "exitCode": CODE,
        "reason": TEXT,
        "clusters": listed(
            mapping(
                {
                    "name": TEXT,
                    "environment": TEXT,
                    "exitCode": CODE,
                    "done": FLAG,
                    "apps": TEXTS,
                    "objects": listed(mapping({"resource": TEXT, "object": ref("object")})),
                },
                {"error": ref("problem")},
            )
        ),
    },
    {},
)
