"""``requireCommit``: an apply is refused where what it reads is not in Git, before anything is written anywhere.

What counts is what the run has read: fleet.yaml and its includes, the overlays of the apps in question, and the files
that their sources are made of; and what was committed there and is gone. Other files may be as they like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct, field

from fleetmgr.errors import Problem, Where
from fleetmgr.expansion import expand_cluster
from fleetmgr.expansion.commit import commit_guard, guards_commits
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.change import Refusal
from fleetmgr.model.commit import RequireCommit
from fleetmgr.model.enumeration import listed
from fleetmgr.model.selection import Selection
from fleetmgr.model.target import FetchRequest, Target
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.kustomizer import KustomizeTree
from fleetmgr.ports.repository import Repository
from fleetmgr.ports.source_fetcher import SourceFetcher

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet

NOT_COMMITTED = "FLT-5050"
NOT_PUSHED = "FLT-5051"
_NAMED = 4
_OVERLAYS = "environments"


class RememberingFetcher:
    """A SourceFetcher that keeps what it was asked for."""

    def __init__(self, fetcher: SourceFetcher) -> None:
        """``artifacts`` fills as sources are fetched."""
        self._fetcher = fetcher
        self.artifacts: dict[FetchRequest, Artifact] = {}

    def fetch(self, request: FetchRequest) -> Artifact:
        """As ports.SourceFetcher."""
        found = self.artifacts[request] = self._fetcher.fetch(request)
        return found

    def build(self, tree: KustomizeTree) -> bytes:
        """As ports.Kustomizer."""
        return self._fetcher.build(tree)


class _Reads(Struct):
    """What one cluster is made from, as far as somebody asks for commits."""

    files: set[str] = field(default_factory=set[str])
    folders: dict[str, bool] = field(default_factory=dict[str, bool])
    commits: set[str] = field(default_factory=set[str])
    """Revisions that sources are pinned to and that must be pushed; "" is HEAD."""
    committed_by: str = ""
    pushed_by: str = ""

    def holds(self, name: str) -> bool:
        if name in self.files:
            return True
        parent = PurePosixPath(name).parent
        above = {str(p) for p in (parent, *parent.parents)}
        return any(
            folder in above if deep else folder == str(parent) for folder, deep in self.folders.items()
        )


def uncommitted(
    walk: Walk, selection: Selection, clusters: Sequence[Cluster], artifacts: Mapping[FetchRequest, Artifact]
) -> tuple[Refusal, ...]:
    """What an apply to ``clusters`` would be refused for; nothing where it is allowed with a reason
    (``Walk.dirty_reason``). ``artifacts`` are those that were rendered. Raises FleetError where Git fails."""
    if walk.dirty_reason or not guards_commits(walk.loaded):
        return ()
    reads = {c.name: _reads(walk.loaded, c, selection, artifacts) for c in clusters}
    reads = {name: of for name, of in reads.items() if of.committed_by}
    if not reads:
        return ()
    files = {name for of in reads.values() for name in of.files}
    folders: dict[str, bool] = {}
    for of in reads.values():
        for folder, deep in of.folders.items():
            folders[folder] = folders.get(folder, False) or deep
    changed = walk.repository.uncommitted(files, folders)
    head = walk.repository.head()
    unpushed = _unpushed(walk.repository, {c for of in reads.values() for c in of.commits}, head)
    return tuple(
        refusal for name, of in reads.items() for refusal in _judged(name, of, changed, unpushed, head)
    )


def _reads(
    loaded: LoadedFleet, cluster: Cluster, selection: Selection, artifacts: Mapping[FetchRequest, Artifact]
) -> _Reads:
    found = _Reads()
    for target in expand_cluster(loaded, cluster.name):
        if selection.apps and target.app not in selection.apps:
            continue
        guard = commit_guard(loaded, target.environment, target.app)
        if guard.rule is RequireCommit.NEVER:
            continue
        found.committed_by = found.committed_by or guard.said_by
        found.files |= {f"{_OVERLAYS}/{target.environment}/{target.app}{end}" for end in (".yaml", ".yml")}
        _add_source(found, target, artifacts)
        if guard.rule is RequireCommit.PUSHED:
            found.pushed_by = found.pushed_by or guard.said_by
            found.commits |= {"", *_pinned(target, artifacts)}
    if found.committed_by:
        overlays = {loaded.where("overlays", *key).file for key in loaded.overlays}
        found.files |= set(loaded.files) - overlays
        included = {str(PurePosixPath(name).parent) for name in set(loaded.files) - overlays}
        found.folders |= {folder: found.folders.get(folder, False) for folder in included - {"."}}
    return found


def _add_source(found: _Reads, target: Target, artifacts: Mapping[FetchRequest, Artifact]) -> None:
    source, artifact = target.source, artifacts.get(target.source)
    if source.revision is not None or artifact is None:
        return
    found.files |= set(artifact.read)
    if source.type == "manifests":  # a kustomization names its files
        path = str(PurePosixPath(source.path))
        found.folders[path] = found.folders.get(path, False) or source.recurse


def _pinned(target: Target, artifacts: Mapping[FetchRequest, Artifact]) -> Iterator[str]:
    artifact = artifacts.get(target.source)
    if artifact is not None and artifact.revision is not None:
        yield artifact.revision


def _unpushed(repository: Repository, commits: set[str], head: str | None) -> set[str]:
    named = {commit: commit or head for commit in commits}
    return {commit for commit, real in named.items() if real is not None and not repository.pushed(real)}


def _judged(
    cluster: str, of: _Reads, changed: Sequence[str], unpushed: set[str], head: str | None
) -> Iterator[Refusal]:
    names = [name for name in changed if of.holds(name)]
    if head is None:
        message = f"{of.committed_by} asks that what is applied is committed, and fleet.yaml is in no commit"
        yield _refusal(cluster, NOT_COMMITTED, message, "commit it")
        return
    if names:
        message = f"{of.committed_by} asks that what is applied is committed, and {_listed(names)} not"
        yield _refusal(cluster, NOT_COMMITTED, message, "commit it")
    for commit in sorted(of.commits & unpushed):
        shown = (commit or head)[:12]
        message = f"{of.pushed_by} asks that what is applied is pushed, and no branch of a remote has commit {shown}"
        yield _refusal(cluster, NOT_PUSHED, message, "push it; if it is pushed, `git fetch` first")


def _refusal(cluster: str, code: str, message: str, hint: str) -> Refusal:
    hint = f"{hint}; or say why not: --allow-dirty REASON"
    return Refusal(
        cluster=cluster, problem=Problem(message=message, where=Where(cluster=cluster), hint=hint, code=code)
    )


def _listed(names: Sequence[str]) -> str:
    return f"{listed(names, limit=_NAMED)} {'is' if len(names) == 1 else 'are'}"
