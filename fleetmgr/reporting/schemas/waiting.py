"""The schema of what waits for what."""

from __future__ import annotations

from fleetmgr.model.waiting import WaitKind, WaitState
from fleetmgr.reporting.schemas.parts import (
    CLUSTER,
    CODE,
    COUNT,
    TEXT,
    TEXTS,
    TIME,
    Kind,
    counts,
    listed,
    mapping,
    one_of,
    ref,
)

_WAITS = listed(
    mapping(
        {
            "kind": one_of(WaitKind),
            "on": TEXT,
            "state": one_of(WaitState),
            "why": TEXT,
            "objects": TEXTS,
        },
        {"hint": TEXT, "until": TIME},
    )
)
_STEP = mapping(
    {"phase": TEXT, "wave": {"type": "integer"}, "objects": TEXTS, "hooks": TEXTS, "waitsFor": TEXT}
)
_APP = mapping(
    {
        "name": TEXT,
        "state": one_of(WaitState),
        "health": ref("health"),
        "pending": COUNT,
        "dependsOn": TEXTS,
        "neededBy": TEXTS,
        "waits": _WAITS,
        "steps": listed(_STEP),
    }
)
WAITING_FOR: Kind = (
    {
        "fleet": TEXT,
        "revision": TEXT,
        "at": TIME,
        "exitCode": CODE,
        "reason": TEXT,
        "summary": counts("clusters", "unread", *(state.value for state in WaitState)),
        "clusters": listed(
            mapping(
                {**CLUSTER, "state": one_of(WaitState), "waits": _WAITS, "apps": listed(_APP)},
                {"notes": TEXTS, "error": ref("problem")},
            )
        ),
    },
    {},
)
