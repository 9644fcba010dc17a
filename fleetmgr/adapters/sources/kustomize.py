"""The ``kustomize`` source: the objects of a kustomization of this repository, on disk or at a commit.

Only what the kustomization names is copied for kustomize, every file after its path was resolved and
checked: it can read nothing else, whatever it would like to.
"""

from __future__ import annotations

from pathlib import Path

from fleetmgr.adapters.sources.gathering import Bound, Gathering, Label, Remotes
from fleetmgr.adapters.sources.local import digest_of
from fleetmgr.adapters.sources.trees import CommitTree, Tree, WorkingTree
from fleetmgr.adapters.sources.walk import source_path
from fleetmgr.errors import Where
from fleetmgr.model.artifact import Artifact, SourceFile
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.kustomizer import KustomizeFailed, Kustomizer, KustomizeTree
from fleetmgr.ports.repository import Repository

HIDDEN = "(sensitive)"


class KustomizeSources:
    """A SourceFetcher for ``type: kustomize``."""

    def __init__(
        self, repository: Repository, root: Path, kustomizer: Kustomizer, remotes: Remotes | None = None
    ) -> None:
        """``root`` is the folder of fleet.yaml; without ``remotes`` nothing is fetched from anywhere."""
        self._repository = repository
        self._root = root
        self._kustomizer = kustomizer
        self._remotes = remotes
        self._commits: dict[str, CommitTree] = {}

    def fetch(self, request: FetchRequest) -> Artifact:
        """One file: what kustomize makes of the request's folder, under the name of its kustomization.

        Raises what LocalSources raises, InvalidInput for broken YAML, RemoteDenied and PluginDenied for what
        leaves the repository, and KustomizeFailed.
        """
        path = source_path(request.path)
        revision = None if request.revision is None else self._repository.resolve(request.revision)
        bound = Bound(remotes=self._remotes, hosts=request.allow_remote) if self._remotes else None
        gathering = Gathering(self._tree(revision), Label(revision=revision), bound)
        folder, name = gathering.gather(path)
        tree = KustomizeTree(folder=str(folder), files=gathering.files, links=gathering.links)
        try:
            content = self._kustomizer.build(tree)
        except KustomizeFailed as error:
            message = error.message
            for secret in sorted(gathering.secrets, key=len, reverse=True):
                message = message.replace(secret, HIDDEN)
            raise KustomizeFailed(
                message, where=Where(file=gathering.label.shown(name)), hint=error.hint
            ) from None
        files = (SourceFile(path=str(name), content=content),)
        return Artifact(
            request=request,
            revision=revision,
            digest=digest_of(files),
            files=files,
            warnings=tuple(gathering.warnings),
            read=gathering.read,
        )

    def _tree(self, revision: str | None) -> Tree:
        if revision is None:
            return WorkingTree(self._root)
        if revision not in self._commits:
            self._commits[revision] = CommitTree(self._repository, revision, recurse=True)
        return self._commits[revision]
