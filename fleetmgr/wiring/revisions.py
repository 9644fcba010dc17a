"""Two revisions of the repository, opened beside each other."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from fleetmgr.errors import InvalidInput
from fleetmgr.model.change import Plan
from fleetmgr.model.selection import Selection
from fleetmgr.operations import compare_revisions as operation
from fleetmgr.operations.compare_revisions import Revision
from fleetmgr.ports.repository import Repository
from fleetmgr.spec import load
from fleetmgr.wiring.offline import LazyRepository, sources_of
from fleetmgr.wiring.past import copied

WORKING_TREE = "working tree"


def compare(file: Path, revisions: str, selection: Selection) -> Plan:
    """What ``BASE..HEAD`` changes in what the fleet of ``file`` renders.

    Raises UsageError, InvalidInput, and FleetError for a revision that is not there.
    """
    base, head = operation.parse_range(revisions)
    repository = LazyRepository(file.parent.resolve())
    with ExitStack() as stack:
        before = _at(repository, base, file, stack)
        after = _at(repository, head, file, stack) if head else _opened(file, repository, WORKING_TREE)
        return operation.compare(before, after, selection)


def _at(repository: Repository, revision: str, file: Path, stack: ExitStack) -> Revision:
    """The fleet of a commit, from a private copy."""
    commit = repository.resolve(revision)
    folder = copied(repository, commit, stack)
    return _opened(folder / file.name, repository, commit[:12])


def _opened(file: Path, repository: Repository, name: str) -> Revision:
    try:
        loaded = load(file)
    except InvalidInput as error:
        raise operation.told_at(error, name) from None
    return Revision(name=name, loaded=loaded, fetcher=sources_of(loaded, repository))
