"""Schemas of what an apply did."""

from __future__ import annotations

from fleetmgr.model.change import Op
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.report import Outcome
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.reporting.schemas.parts import (
    CLUSTER,
    CODE,
    COUNT,
    FLAG,
    NAMED,
    SECONDS,
    TEXT,
    TEXTS,
    WALK,
    Kind,
    counts,
    listed,
    mapping,
    one_of,
    ref,
)
from fleetmgr.reporting.schemas.timings import TIMINGS

_APPLY = {
    "planId": TEXT,
    **WALK,
    "summary": mapping(
        {
            **dict.fromkeys(("clusters", "succeeded", "unreachable", "failed", "notBegun"), COUNT),
            "objects": counts(*(outcome.value for outcome in Outcome)),
            **{op.value: COUNT for op in Op if op.writes},
        }
    ),
    "clusters": listed(
        mapping(
            {
                **CLUSTER,
                "seconds": SECONDS,
                "results": listed(
                    mapping(
                        {"op": one_of(Op), "app": TEXT, **NAMED, "outcome": one_of(Outcome)},
                        {"error": ref("problem")},
                    )
                ),
                "health": listed(mapping({"app": TEXT, "status": one_of(HealthStatus), "message": TEXT})),
            },
            {"begun": FLAG, "rolledBackTo": TEXT, "warnings": TEXTS, "error": ref("problem")},
        )
    ),
}
APPLY_RESULT: Kind = (
    _APPLY,
    {
        **TIMINGS,
        "verb": {"const": "destroy"},
        "stopped": mapping({"exitCode": CODE, "error": ref("problem")}),
        "rollout": mapping({"id": TEXT, "status": one_of(RolloutStatus)}),
    },
)
