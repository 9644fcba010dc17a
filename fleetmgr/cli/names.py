"""Names for the shell's completion: from fleet.yaml only, never from a cluster, and never an error."""

from __future__ import annotations

from pathlib import Path

from fleetmgr.errors import FleetError
from fleetmgr.spec import load


def names_of(file: Path, section: str) -> list[str]:
    """Sorted names of ``environments``, ``clusters`` or ``apps``; none when the file is missing or broken."""
    try:
        fleet = load(file).fleet
    except (FleetError, OSError):
        return []
    items = {"environments": fleet.environments, "clusters": fleet.clusters, "apps": fleet.apps}[section]
    return sorted(item.name for item in items)
