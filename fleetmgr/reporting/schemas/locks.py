"""Schemas of who holds a cluster."""

from __future__ import annotations

from fleetmgr.reporting.schemas.parts import COUNT, FLAG, TEXT, Kind, mapping

HOLDER = mapping(
    {"actor": TEXT, "host": TEXT, "pid": COUNT, "command": TEXT, "plan": TEXT, "since": TEXT},
    {"renewed": TEXT},
)
UNLOCK: Kind = ({"fleet": TEXT, "cluster": TEXT, "unlocked": FLAG}, {"holder": HOLDER, "reason": TEXT})
