"""Schemas of what commands say about a fleet's files."""

from __future__ import annotations

from fleetmgr.reporting.schemas.parts import FLAG, TEXT, TEXTS, Kind, listed, mapping, ref

EXPLANATION: Kind = (
    {
        "app": TEXT,
        "cluster": TEXT,
        "values": listed(mapping({"key": TEXT, "value": {}, "layer": TEXT}, {"where": ref("where")})),
    },
    {},
)
EDIT: Kind = (
    {
        "verb": TEXT,
        "entry": mapping({"kind": TEXT, "name": TEXT}),
        "files": TEXTS,
        "diff": TEXT,
        "notes": TEXTS,
        "written": FLAG,
    },
    {},
)
INIT: Kind = ({"fleet": TEXT, "created": TEXTS, "extended": TEXTS, "kept": TEXTS}, {})
