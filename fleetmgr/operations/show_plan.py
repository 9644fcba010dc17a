"""``fleet show FILE``: whether a saved plan can still be true, as far as this machine knows without a cluster."""

from __future__ import annotations

from fleetmgr import __version__
from fleetmgr.model.saved_plan import PlanFile, Staleness
from fleetmgr.operations.revision import revision_of
from fleetmgr.ports.repository import Repository


def staleness(file: PlanFile, repository: Repository | None) -> Staleness:
    """``repository`` None: there is no fleet here to compare with. Raises FleetError when Git cannot be read."""
    reasons: list[str] = []
    since: str | None = None
    if file.saved is None or file.tool != __version__:
        reasons.append(f"fleetmgr {file.tool} made it, this is fleetmgr {__version__}: it cannot be applied")
    current = revision_of(repository) if repository is not None else file.revision
    if repository is not None and current != file.revision:
        reasons.append(f"the repository here is at {_named(current)}, the plan is of {_named(file.revision)}")
        since = repository.moved_on(file.revision.removesuffix("+dirty")) if file.revision else None
    return Staleness(reasons=tuple(reasons), since=since)


def _named(revision: str) -> str:
    commit, plus, dirty = revision.partition("+")
    return f"{commit[:12]}{plus}{dirty}" or "no commit"
