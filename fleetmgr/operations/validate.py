"""``validate``: load, expand every target and, where the sources can be read, render. Offline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from fleetmgr.errors import FleetError, InvalidInput, Problem, UsageError
from fleetmgr.expansion import clusters, expand_cluster
from fleetmgr.model.resource import Stack
from fleetmgr.model.validation import FleetSize, Validation
from fleetmgr.operations.openings import never_open
from fleetmgr.spec import LoadedFleet, load

Render = Callable[[LoadedFleet], Iterable[Stack]]
"""All Stacks of a fleet; raises InvalidInput with every problem of their sources."""


def validate(path: Path, render: Render | None = None, *, at: datetime | None = None) -> Validation:
    """Everything that is wrong with the fleet of ``path``; never raises for what its files say. ``at`` (aware) is when
    windows are looked at; None does not look at them.

    Raises UsageError when there is no such file.
    """
    warnings: list[Problem] = []
    try:
        loaded = load(path)
        targets = sum(len(expand_cluster(loaded, c.name)) for c in clusters(loaded))
        for stack in render(loaded) if render else ():
            warnings += stack.warnings
        warnings += never_open(loaded, at) if at is not None else ()
    except InvalidInput as error:
        return Validation(file=path.name, problems=error.problems)
    except UsageError:
        raise
    except FleetError as error:
        return Validation(file=path.name, problems=(error.problem(),))
    fleet = loaded.fleet
    size = FleetSize(
        fleet=fleet.name,
        environments=len(fleet.environments),
        clusters=len(fleet.clusters),
        apps=len(fleet.apps),
        targets=targets,
    )
    return Validation(file=path.name, warnings=tuple(dict.fromkeys(warnings)), size=size)
