"""Schemas of what is wrong, in a file or in a run."""

from __future__ import annotations

from fleetmgr.reporting.schemas.parts import CODE, FLAG, TEXT, Kind, counts, listed, ref

VALIDATION: Kind = (
    {"valid": FLAG, "problems": listed(ref("problem")), "warnings": listed(ref("problem"))},
    {"fleet": TEXT, "summary": counts("environments", "clusters", "apps", "targets")},
)
ERROR: Kind = ({"exitCode": CODE, "reason": TEXT, "errors": listed(ref("problem"))}, {})
