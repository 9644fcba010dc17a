"""What every command does that walks the fleet: open it and take the part that was selected."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.cli.invocation import Invocation
from fleetmgr.model.selection import Selection
from fleetmgr.operations.walk import Walk
from fleetmgr.wiring import walk as wiring


def open_walk(invocation: Invocation) -> Walk:
    """The fleet of ``--file`` with its ports; raises InvalidInput with every problem of its files."""
    walk = wiring.open_walk(invocation.file, parallel=invocation.parallel)
    return replace(walk, adopt=True) if invocation.adopt else walk


def selection(invocation: Invocation) -> Selection:
    """What ``-e -c -a -l`` select."""
    return Selection(
        environments=invocation.environments,
        clusters=invocation.clusters,
        apps=invocation.apps,
        selectors=invocation.selectors,
    )
