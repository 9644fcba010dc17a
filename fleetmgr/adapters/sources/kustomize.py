"""The ``kustomize`` source: the objects of a kustomization of this repository, on disk or at a commit.

Only what the kustomization names is copied for kustomize, every file after its path was resolved and
checked: it can read nothing else, whatever it would like to.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from fleetmgr.adapters.sources.kustomization import (
    NAMES,
    Entry,
    Kustomization,
    check_plugin,
    read_kustomization,
)
from fleetmgr.adapters.sources.local import MAX_FILE, MAX_FILES, MAX_TREE, digest_of
from fleetmgr.adapters.sources.refusals import (
    PluginDenied,
    SourceEscapes,
    SourceNotFound,
    SourceTooLarge,
    SpecialFile,
)
from fleetmgr.adapters.sources.trees import CommitTree, Kind, Tree, WorkingTree
from fleetmgr.adapters.sources.walk import ROOT, resolve, source_path, walk
from fleetmgr.errors import Problem, Where
from fleetmgr.model.artifact import PLAIN_MARK, Artifact, SourceFile
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.kustomizer import KustomizeFailed, Kustomizer, KustomizeTree
from fleetmgr.ports.repository import Repository
from fleetmgr.spec.yaml_guard import MANIFEST_LIMITS, scan

HIDDEN = "(sensitive)"
_MOST_LINES = 10_000
# A value that is nothing but one variable, unquoted; kustomize keeps no quotes.
_PLAIN_VARIABLE = re.compile(rb"((?::|-)[ \t]+)\$\{([^{}\n]*\}[ \t]*(?:[ \t]#[^\n]*)?\r?)$", re.MULTILINE)


class KustomizeSources:
    """A SourceFetcher for ``type: kustomize``."""

    def __init__(self, repository: Repository, root: Path, kustomizer: Kustomizer) -> None:
        """``root`` is the folder of fleet.yaml."""
        self._repository = repository
        self._root = root
        self._kustomizer = kustomizer
        self._commits: dict[str, CommitTree] = {}

    def fetch(self, request: FetchRequest) -> Artifact:
        """One file: what kustomize makes of the request's folder, under the name of its kustomization.

        Raises what LocalSources raises, InvalidInput for broken YAML, RemoteDenied and PluginDenied for what
        leaves the repository, and KustomizeFailed.
        """
        path = source_path(request.path)
        revision = None if request.revision is None else self._repository.resolve(request.revision)
        gathering = _Gathering(self._tree(revision), revision)
        folder, name = gathering.gather(path)
        tree = KustomizeTree(folder=str(folder), files=gathering.files, links=gathering.tree.links)
        try:
            content = self._kustomizer.build(tree)
        except KustomizeFailed as error:
            message = error.message
            for secret in sorted(gathering.secrets, key=len, reverse=True):
                message = message.replace(secret, HIDDEN)
            raise KustomizeFailed(message, where=Where(file=shown(name, revision)), hint=error.hint) from None
        files = (SourceFile(path=str(name), content=content),)
        return Artifact(
            request=request,
            revision=revision,
            digest=digest_of(files),
            files=files,
            warnings=tuple(gathering.warnings),
        )

    def _tree(self, revision: str | None) -> Tree:
        if revision is None:
            return WorkingTree(self._root)
        if revision not in self._commits:
            self._commits[revision] = CommitTree(self._repository, revision, recurse=True)
        return self._commits[revision]


def shown(path: PurePosixPath, revision: str | None) -> str:
    """A file as messages name it."""
    return f"{path}@{revision[:12]}" if revision else str(path)


class _Recorded:
    """A Tree that remembers the links that were followed: the copy has them too."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.links: dict[str, str] = {}

    def kind(self, path: PurePosixPath) -> Kind:
        return self._tree.kind(path)

    def link(self, path: PurePosixPath) -> str:
        target = self._tree.link(path)
        self.links[str(path)] = target
        return target

    def children(self, path: PurePosixPath) -> list[str]:
        return self._tree.children(path)

    def size(self, path: PurePosixPath) -> int:
        return self._tree.size(path)

    def read(self, path: PurePosixPath) -> bytes:
        return self._tree.read(path)


class _Gathering:
    """Follows a kustomization through everything that it names."""

    def __init__(self, tree: Tree, revision: str | None) -> None:
        self.tree = _Recorded(tree)
        self.files: dict[str, bytes] = {}
        self.warnings: list[Problem] = []
        self.secrets: list[str] = []
        self._plain = tree
        self._revision = revision
        self._visited: set[PurePosixPath] = set()
        self._bytes = 0

    def gather(self, path: PurePosixPath) -> tuple[PurePosixPath, PurePosixPath]:
        """The real folder of the source and the name of its kustomization file."""
        if path.name in NAMES:
            path = path.parent
        folder = resolve(self.tree, path)
        kind = self.tree.kind(folder)
        if kind is not Kind.FOLDER:
            told = "is not there" if kind is Kind.MISSING else "is no folder"
            raise SourceNotFound(f"path `{path}` {told}", hint="check `source.path`")
        todo = [folder]
        while todo:
            here = todo.pop()
            if here not in self._visited:
                self._visited.add(here)
                todo += self._kustomization(here)
        name = next(n for n in NAMES if str(folder / n) in self.files)
        return folder, folder / name

    def _kustomization(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Reads the kustomization of a folder and all its files; the folders that it names."""
        # A link anywhere in the folder that leaves the repository refuses all of it, used or not.
        walk(self._plain, folder, recurse=folder != ROOT)
        names = [folder / n for n in NAMES if self.tree.kind(folder / n) is not Kind.MISSING]
        if not names:
            raise SourceNotFound(
                f"`{folder}` has no {NAMES[0]}",
                hint="add one; plain manifests have `type: manifests`",
            )
        folders: list[PurePosixPath] = []
        for name in names:
            content = self._file(resolve(self.tree, name), name)
            found = read_kustomization(content, name=shown(name, self._revision))
            self.warnings += found.warnings
            self.secrets += found.secrets
            folders += self._entries(folder, found)
        return folders

    def _entries(self, folder: PurePosixPath, found: Kustomization) -> list[PurePosixPath]:
        folders: list[PurePosixPath] = []
        for entry in found.entries:
            real = self._resolved(folder, entry)
            kind = self.tree.kind(real)
            if kind is Kind.FOLDER and entry.plugin:
                message = f"`{entry.path}`: a plugin of kustomize is not read from a folder"
                raise PluginDenied(message, where=entry.place.where(), hint="name its file")
            if kind is Kind.FOLDER:
                folders.append(real)
                continue
            if kind is Kind.MISSING:
                raise SourceNotFound(f"`{entry.path}` is not there", where=entry.place.where())
            content = self._file(real, real)
            if entry.manifest:
                self._manifest(real, content, entry)
            elif entry.secret:
                self.secrets += _values(content)
        return folders

    def _resolved(self, folder: PurePosixPath, entry: Entry) -> PurePosixPath:
        if entry.path.startswith(("/", "~")) or "\0" in entry.path:
            raise SourceEscapes(f"`{entry.path[:200]}` leaves the repository", where=entry.place.where())
        try:
            return resolve(self.tree, folder / entry.path)
        except SourceEscapes as error:
            raise SourceEscapes(error.message, where=entry.place.where(), hint=error.hint) from None

    def _manifest(self, real: PurePosixPath, content: bytes, entry: Entry) -> None:
        if entry.plugin:
            check_plugin(content, entry.place)
            return
        if real.suffix == ".json":
            return
        scan(content, name=shown(real, self._revision), limits=MANIFEST_LIMITS)
        self.files[str(real)] = _PLAIN_VARIABLE.sub(rb"\1" + PLAIN_MARK.encode() + rb"\2", content)

    def _file(self, real: PurePosixPath, name: PurePosixPath) -> bytes:
        if str(real) in self.files:
            return self.files[str(real)]
        if self.tree.kind(real) is not Kind.FILE:
            raise SpecialFile(f"`{name}` is no plain file")
        size = self.tree.size(real)
        self._bytes += size
        if size > MAX_FILE or self._bytes > MAX_TREE or len(self.files) >= MAX_FILES:
            raise SourceTooLarge(f"`{name}`: more or larger files than a source may have")
        content = self.files[str(real)] = self.tree.read(real)
        return content


def _values(content: bytes) -> list[str]:
    """What of a Secret generator's file an error might quote: its lines, and what is behind `=` in them."""
    lines = content.decode("utf-8", "replace").splitlines()[:_MOST_LINES]
    return [part for line in lines for part in (line.strip(), line.partition("=")[2].strip()) if part[2:]]
