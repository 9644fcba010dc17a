"""The ``manifests`` source: a folder of this repository, as it is on disk or at a commit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from fleetmgr.adapters.sources.globs import matches
from fleetmgr.adapters.sources.refusals import SourceTooLarge, SourceUnreadable, SpecialFile
from fleetmgr.adapters.sources.trees import CommitTree, Kind, Tree, WorkingTree
from fleetmgr.adapters.sources.walk import ROOT, Found, source_path, walk
from fleetmgr.model.artifact import Artifact, SourceFile
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.repository import Repository

MIB = 1024 * 1024
MAX_FILE = 16 * MIB
MAX_TREE = 256 * MIB
MAX_FILES = 10_000

_SUFFIXES = (".yaml", ".yml", ".json")
_OVERLAYS = "environments"


class LocalSources:
    """A SourceFetcher for paths of the repository that holds fleet.yaml."""

    def __init__(
        self, repository: Repository, root: Path, *, own_files: frozenset[str] = frozenset()
    ) -> None:
        """``own_files`` are fleetmgr's own (fleet.yaml, its includes), relative to ``root``: never manifests."""
        self._repository = repository
        self._root = root
        self._own = own_files

    def fetch(self, request: FetchRequest) -> Artifact:
        """The manifests that the request selects: ``*.yaml *.yml *.json``, bytes as they are.

        Raises SourceNotFound, SourceTooLarge, SourceUnreadable; SourceEscapes and SpecialFile are refusals
        made before anything is read.
        """
        path = source_path(request.path)
        revision = None if request.revision is None else self._repository.resolve(request.revision)
        tree: Tree = (
            WorkingTree(self._root)
            if revision is None
            else CommitTree(self._repository, revision, recurse=request.recurse)
        )
        chosen = [
            found for found in walk(tree, path, recurse=request.recurse) if self._wanted(found, path, request)
        ]
        files = _read(tree, chosen, request.path)
        return Artifact(
            request=request,
            revision=revision,
            digest=digest_of(files),
            files=files,
            read=tuple(f.path for f in files),
        )

    def _wanted(self, found: Found, path: PurePosixPath, request: FetchRequest) -> bool:
        if not found.path.name.endswith(_SUFFIXES) or self._is_own(found, path):
            return False
        relative = str(found.path.relative_to(path)) if found.path != path else found.path.name
        if request.include and not matches(relative, request.include):
            return False
        return not matches(relative, request.exclude)

    def _is_own(self, found: Found, path: PurePosixPath) -> bool:
        if str(found.path) in self._own or str(found.real) in self._own:
            return True
        if path != ROOT:
            return False
        name = found.path.parts[0]
        return name == _OVERLAYS or (len(found.path.parts) == 1 and name.startswith("Pulumi."))


def _read(tree: Tree, chosen: list[Found], path: str) -> tuple[SourceFile, ...]:
    """Sizes and kinds of all first, then the contents."""
    if len(chosen) > MAX_FILES:
        raise SourceTooLarge(
            f"path `{path}` has {len(chosen)} manifest files; at most {MAX_FILES} are read",
            hint="split the app, or use `include` and `exclude`",
        )
    total = 0
    for found in chosen:
        if found.kind is Kind.MISSING:
            raise SourceUnreadable(f"`{found.path}` is a link to nothing")
        if found.kind is not Kind.FILE:
            raise SpecialFile(f"`{found.path}` is no plain file", hint="remove it, or name it in `exclude`")
        total += _size(tree, found)
    if total > MAX_TREE:
        raise SourceTooLarge(f"path `{path}` holds {total} bytes; at most {MAX_TREE} are read")
    return tuple(SourceFile(path=str(found.path), content=tree.read(found.real)) for found in chosen)


def _size(tree: Tree, found: Found) -> int:
    size = tree.size(found.real)
    if size > MAX_FILE:
        raise SourceTooLarge(f"`{found.path}` has {size} bytes; at most {MAX_FILE} are read")
    return size


def digest_of(files: Iterable[SourceFile]) -> str:
    """SHA-256 (hex) over paths and contents."""
    digest = hashlib.sha256()
    for file in files:
        name = file.path.encode("utf-8", "surrogateescape")
        digest.update(b"%d:%b%d:" % (len(name), name, len(file.content)))
        digest.update(file.content)
    return digest.hexdigest()
