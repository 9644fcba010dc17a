"""Private copies of commits: the fleet as it was, beside the working tree and without touching it."""

from __future__ import annotations

import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from fleetmgr.ports.past import PastFleet
from fleetmgr.ports.repository import Repository
from fleetmgr.spec import load
from fleetmgr.wiring.offline import sources_of


def copied(repository: Repository, commit: str, stack: ExitStack) -> Path:
    """A folder with the files of ``commit`` below the folder of fleet.yaml, until ``stack`` closes. Links are copied
    as links, and looked at by whoever reads the copy. Raises FleetError."""
    made = stack.enter_context(tempfile.TemporaryDirectory(prefix="fleetmgr-revision-"))
    folder = Path(made).resolve()
    for entry in repository.tree(commit, ".", recurse=True):
        path = folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.link is not None:
            path.symlink_to(entry.link)
        else:
            path.write_bytes(entry.content)
    return folder


class PastFleets:
    """Implements ports.past.Past: every revision is copied once."""

    def __init__(self, repository: Repository, name: str) -> None:
        """``name`` of fleet.yaml in its folder."""
        self._repository = repository
        self._name = name
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._known: dict[str, PastFleet] = {}

    def at(self, revision: str) -> PastFleet:
        """As ports.past.Past."""
        with self._lock:
            commit = self._repository.resolve(revision)
            if commit not in self._known:
                loaded = load(copied(self._repository, commit, self._stack) / self._name)
                fetcher = sources_of(loaded, self._repository)
                self._known[commit] = PastFleet(revision=commit, loaded=loaded, fetcher=fetcher)
            return self._known[commit]

    def close(self) -> None:
        """As ports.past.Past."""
        self._stack.close()
