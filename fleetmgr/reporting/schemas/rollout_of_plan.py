"""The JSON Schema of a plan's rollout."""

from __future__ import annotations

from fleetmgr.model.rollout import ObstacleKind, OnFailure, WindowKind
from fleetmgr.reporting.schemas.parts import COUNT, SECONDS, TEXT, TEXTS, TIME, listed, mapping, one_of

_WINDOW = mapping(
    {
        **dict.fromkeys(("schedule", "timezone", "owner"), TEXT),
        "kind": one_of(WindowKind),
        "durationSeconds": SECONDS,
    },
    {"description": TEXT, "clusters": TEXTS},
)
_STEP = {"environment": TEXT, "wave": TEXT, "clusters": TEXTS}
ROLLOUT_OF_PLAN = {
    "rollout": mapping(
        {
            "steps": listed(
                mapping(
                    {
                        **_STEP,
                        **dict.fromkeys(("unchanged", "unreachable", "failed"), TEXTS),
                        "soakSeconds": SECONDS,
                        "onFailure": one_of(OnFailure),
                        "windows": listed(_WINDOW),
                    },
                    {
                        **dict.fromkeys(("maxParallel", "maxUnavailable", "maxFailures"), COUNT),
                        "deadlineSeconds": SECONDS,
                    },
                )
            ),
            "obstacles": listed(
                mapping({**_STEP, "reason": one_of(ObstacleKind), "message": TEXT}, {"opens": TIME})
            ),
        }
    )
}
