"""Schemas of plans, of drift and of what a commit changes."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.change import PULUMI, ClusterStatus, Confirmation, Noise, Op
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.reporting.schemas.kept import plan_file
from fleetmgr.reporting.schemas.parts import (
    CLUSTER,
    COUNT,
    ERROR_CODE,
    NAMED,
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
from fleetmgr.reporting.schemas.rollout_of_plan import ROLLOUT_OF_PLAN
from fleetmgr.reporting.schemas.timings import TIMINGS

_CHANGE = mapping(
    {"op": one_of(Op), "app": TEXT, **NAMED, "diff": listed(ref("field"))},
    {
        "reason": TEXT,
        "unverified": {"const": True},
        "drift": {"const": True},
        "driftSince": TEXT,
        "driftBy": mapping({"manager": TEXT}, {"through": TEXT, "at": TEXT}),
        "needsConfirmation": one_of(Confirmation),
        "writer": TEXT,
        "takesOver": TEXTS,
        "immutable": TEXTS,
        "forced": {"const": True},
        "hook": mapping({"phase": TEXT, "wave": {"type": "integer"}}),
        "left": listed(ref("left")),
        "noise": one_of(Noise),
        "extra": listed(
            mapping(
                {"path": TEXT}, {"value": {}, "sensitive": {"const": True}, "manager": TEXT, "since": TEXT}
            )
        ),
        "origin": TEXT,
    },
)
_PLAN = {
    "id": TEXT,
    **WALK,
    "summary": counts(
        *("clusters", *(status.value for status in ClusterStatus)),
        *(*(op.value for op in Op), "unverified", "drift", "left", "noise"),
    ),
    "clusters": listed(
        mapping(
            {**CLUSTER, "status": one_of(ClusterStatus), "changes": listed(_CHANGE)},
            {
                "firstContact": {"const": True},
                "engine": {"const": PULUMI},
                "warnings": TEXTS,
                "error": ref("problem"),
                "owned": {"type": "object", "additionalProperties": COUNT},
            },
        )
    ),
}
_BEFORE_APPLY: Mapping[str, JsonObject] = {
    **ROLLOUT_OF_PLAN,
    "verb": {"const": "destroy"},
    "refusals": listed(
        mapping(
            {"code": ERROR_CODE, "message": TEXT, "cluster": TEXT, "objects": TEXTS},
            {"hint": TEXT, "where": ref("where"), "app": TEXT},
        )
    ),
}
_DIFF = {
    "id": TEXT,
    **WALK,
    "clusters": listed(mapping({**CLUSTER, "status": one_of(ClusterStatus)}, {"error": ref("problem")})),
    "changes": listed(
        mapping({"op": one_of(Op), "app": TEXT, **NAMED, "clusters": TEXTS, "patch": TEXT}, {"reason": TEXT})
    ),
}
PLAN: Kind = (_PLAN, {**_BEFORE_APPLY, **TIMINGS})
PLAN_FILE: Kind = plan_file({"kind": {"const": "Plan"}, **_PLAN}, _BEFORE_APPLY)
DRIFT: Kind = (_PLAN, TIMINGS)
DIFF: Kind = (_DIFF, {})
