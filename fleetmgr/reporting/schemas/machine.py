"""Schemas of what commands say about this machine and its sandbox, and about a way in that fails."""

from __future__ import annotations

from fleetmgr.model.report import CheckResult
from fleetmgr.reporting.schemas.parts import CODE, COUNT, TEXT, TEXTS, Kind, counts, listed, mapping, one_of

_PROCESS = mapping(
    {
        "name": TEXT,
        "state": {"enum": ["ready", "starting", "dead", "stopped"]},
        "pid": {"type": ["integer", "null"]},
        "port": COUNT,
        "rss": {"type": ["integer", "null"]},
        "uptime": {"type": ["number", "null"]},
        "log": TEXT,
    }
)
_SANDBOX = {
    "name": TEXT,
    "state": {"enum": ["ready", "degraded", "stopped", "absent"]},
    "kubeconfig": TEXT,
    "shared": listed(_PROCESS),
    "clusters": listed(
        mapping(
            {
                "name": TEXT,
                "state": {"enum": ["ready", "starting", "degraded", "stopped"]},
                "server": TEXT,
                "processes": listed(_PROCESS),
            }
        )
    ),
}
_DIAGNOSIS = {
    "exitCode": CODE,
    "reason": TEXT,
    "summary": counts(*(result.value for result in CheckResult)),
    "checks": listed(
        mapping(
            {"name": TEXT, "result": one_of(CheckResult), "message": TEXT, "exitCode": CODE},
            {"cluster": TEXT, "hint": TEXT},
        )
    ),
}
SANDBOX_STATUS: Kind = (_SANDBOX, {})
SANDBOX_DOWN: Kind = ({"name": TEXT, "stopped": TEXTS}, {})
DIAGNOSIS: Kind = (_DIAGNOSIS, {})
VERSION: Kind = (
    {"fleetmgr": TEXT, "python": TEXT},
    {"libraries": {"type": "object", "additionalProperties": TEXT}},
)
