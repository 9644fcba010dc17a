"""fleet.yaml and the sources of its repository: everything that needs no cluster."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fleetmgr.adapters.sources.by_type import Fetcher, SourcesByType
from fleetmgr.adapters.sources.local import LocalSources
from fleetmgr.errors import UsageError
from fleetmgr.model.resource import Stack
from fleetmgr.operations.render import render
from fleetmgr.ports.kustomizer import Kustomizer
from fleetmgr.ports.repository import Repository, TreeEntry
from fleetmgr.ports.source_fetcher import SourceFetcher
from fleetmgr.wiring.checked import load_checked
from fleetmgr.wiring.machine import SystemClock, xdg

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet

_FETCH_TIMEOUT = 300.0


class LazyRepository:
    """The repository around ``root``, opened when the first question is asked: GitPython takes as long to
    import as everything else that ``fleet validate`` needs, and most fleets pin no revision."""

    def __init__(self, root: Path) -> None:
        """Nothing is opened yet."""
        self._root = root
        self._opened: Repository | None = None

    @property
    def root(self) -> Path:
        """Folder of fleet.yaml."""
        return self._root

    def head(self) -> str | None:
        """As ports.Repository."""
        return self._repository().head()

    def dirty(self) -> bool:
        """As ports.Repository."""
        return self._repository().dirty()

    def uncommitted(self, files: Collection[str], folders: Mapping[str, bool]) -> tuple[str, ...]:
        """As ports.Repository."""
        return self._repository().uncommitted(files, folders)

    def pushed(self, commit: str) -> bool:
        """As ports.Repository."""
        return self._repository().pushed(commit)

    def resolve(self, revision: str) -> str:
        """As ports.Repository."""
        return self._repository().resolve(revision)

    def tree(self, commit: str, path: str, *, recurse: bool) -> tuple[TreeEntry, ...]:
        """As ports.Repository."""
        return self._repository().tree(commit, path, recurse=recurse)

    def moved_on(self, commit: str) -> str | None:
        """As ports.Repository."""
        return self._repository().moved_on(commit)

    def _repository(self) -> Repository:
        if self._opened is None:
            from fleetmgr.adapters.git.repository import GitRepository  # noqa: PLC0415 - the point of this class

            self._opened = GitRepository(self._root)
        return self._opened


def open_offline(file: Path) -> tuple[LoadedFleet, SourceFetcher, Repository]:
    """Load ``file`` and make its repository readable; raises InvalidInput, and UsageError when it is not there."""
    if not file.exists():
        raise UsageError(
            f"there is no {file}",
            hint="run this where fleet.yaml is, name it with -f, or start one with `fleet init`",
        )
    loaded = load_checked(file)
    repository = LazyRepository(loaded.root)
    return loaded, sources_of(loaded, repository), repository


def sources_of(loaded: LoadedFleet, repository: Repository) -> SourceFetcher:
    """A fetcher of every source type; what runs kustomize is loaded only where an app has such a source."""
    fetchers: dict[str, Fetcher] = {
        "manifests": LocalSources(repository, loaded.root, own_files=frozenset(loaded.files))
    }
    if any(app.source.type == "kustomize" for app in loaded.fleet.apps):
        kustomize = importlib.import_module("fleetmgr.adapters.sources.kustomize")
        remote = any(app.source.allow_remote for app in loaded.fleet.apps)
        made = kustomize.KustomizeSources(
            repository, loaded.root, kustomizer(), remotes() if remote else None
        )
        fetchers["kustomize"] = cast("Fetcher", made)
    return SourcesByType(fetchers, kustomizer)


def kustomizer() -> Kustomizer:
    """The kustomize of this machine, behind its cache.

    Environment: XDG_CACHE_HOME (``fleetmgr/rendered`` below it) and PATH, where the kubectl that comes with
    fleetmgr is not there.
    """
    cached = importlib.import_module("fleetmgr.adapters.kustomize.cached")
    program = importlib.import_module("fleetmgr.adapters.kustomize.program")

    def find() -> object:
        ours = Path(sys.executable).parent / "kubectl"
        if ours.exists():
            return program.Program(path=ours, trusted=True)
        found = shutil.which("kubectl") or shutil.which("kustomize")
        return program.Program(path=Path(found), trusted=False) if found else None

    folder = xdg("XDG_CACHE_HOME", Path.home() / ".cache") / "fleetmgr" / "rendered"
    return cast("Kustomizer", cached.CachedKustomizer(program.KustomizeProgram(find), folder))


def remotes() -> object:
    """What kustomizations may fetch, once a host is allowed. Repositories are kept below ``XDG_CACHE_HOME``."""
    addresses = importlib.import_module("fleetmgr.adapters.remote.addresses")
    files = importlib.import_module("fleetmgr.adapters.remote.files")
    fetching = importlib.import_module("fleetmgr.adapters.git.fetching")
    flock = importlib.import_module("fleetmgr.adapters.locks.flock")
    gathering = importlib.import_module("fleetmgr.adapters.sources.gathering")
    locks = flock.FileLocks(SystemClock())

    def lock(path: Path) -> object:
        return locks.hold(path, what="fetching a repository", timeout=_FETCH_TIMEOUT, progress=_quiet)

    cache = xdg("XDG_CACHE_HOME", Path.home() / ".cache") / "fleetmgr" / "git"
    repositories = fetching.FetchedRepositories(cache, addresses.check, lock)
    return gathering.Remotes(files=files.HttpFiles(), repositories=repositories)


def _quiet(line: str) -> None:
    """Waiting for another run is not worth a word here."""


def render_all(loaded: LoadedFleet) -> Iterator[Stack]:
    """Every Stack of a fleet, one at a time."""
    repository = LazyRepository(loaded.root)
    return render(loaded, sources_of(loaded, repository), loaded.fleet.clusters)
