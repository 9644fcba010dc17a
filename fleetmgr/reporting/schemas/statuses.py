"""Schemas of how things are."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import SyncStatus
from fleetmgr.reporting.schemas.kept import RUN
from fleetmgr.reporting.schemas.parts import (
    CLUSTER,
    CODE,
    COUNT,
    NAMED,
    OPTIONAL_TEXT,
    TEXT,
    TEXTS,
    Kind,
    counts,
    listed,
    mapping,
    one_of,
    ref,
)

_POD = mapping(
    {
        **dict.fromkeys(("namespace", "name", "owner", "phase", "node", "reason"), TEXT),
        **dict.fromkeys(("ready", "containers", "restarts"), COUNT),
        "since": OPTIONAL_TEXT,
    }
)
_WARNED = mapping({**dict.fromkeys(("object", "reason", "message", "last"), TEXT), "count": COUNT})
_INSIDE = {
    "results": listed(mapping(*RUN)),
    "pods": listed(_POD),
    "warnings": listed(_WARNED),
    "notes": TEXTS,
}


def _status(inside: Mapping[str, JsonObject]) -> Mapping[str, JsonObject]:
    """Of a Status; ``inside`` is what a cluster may hold besides."""
    return {
        "fleet": TEXT,
        "revision": TEXT,
        "exitCode": CODE,
        "reason": TEXT,
        "summary": mapping(
            {
                **dict.fromkeys(("clusters", "unreachable", "targets"), COUNT),
                "sync": counts(*(sync.value for sync in SyncStatus)),
                "health": counts(*(health.value for health in HealthStatus)),
            }
        ),
        "clusters": listed(
            mapping(
                {
                    **CLUSTER,
                    "version": OPTIONAL_TEXT,
                    "apps": listed(
                        mapping(
                            {
                                "name": TEXT,
                                "sync": one_of(SyncStatus),
                                "health": ref("health"),
                                "pending": COUNT,
                                "revision": OPTIONAL_TEXT,
                                "appliedAt": OPTIONAL_TEXT,
                                "actor": OPTIONAL_TEXT,
                                "objects": listed(mapping({**NAMED, "health": ref("health")})),
                            },
                            {
                                "version": OPTIONAL_TEXT,
                                "images": TEXTS,
                                "since": OPTIONAL_TEXT,
                                "healthySince": OPTIONAL_TEXT,
                            },
                        )
                    ),
                },
                {"error": ref("problem"), **inside},
            )
        ),
    }


STATUS: Kind = (_status({}), {"at": OPTIONAL_TEXT})
APP_STATUS: Kind = ({**_status(_INSIDE), "app": TEXT}, {"at": OPTIONAL_TEXT})
