"""Two trees that are read alike: the working tree and a commit.

Both answer with the kind of a path that holds no link, so that the walk (``walk``) resolves links itself:
what is refused in one is refused in the other, and nothing is opened that was not looked at before.
"""

from __future__ import annotations

import errno
import os
import stat
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Protocol

from fleetmgr.adapters.sources.refusals import SourceUnreadable, SpecialFile
from fleetmgr.errors import FleetError
from fleetmgr.ports.repository import Repository, TreeEntry


class Kind(Enum):
    """What is at a path."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "special"
    MISSING = "missing"


class Tree(Protocol):
    """Paths are relative to the folder of fleet.yaml; no part of one but the last is a link."""

    def kind(self, path: PurePosixPath) -> Kind:
        """What is there, links not followed."""
        ...

    def link(self, path: PurePosixPath) -> str:
        """Where a link points to, as written."""
        ...

    def children(self, path: PurePosixPath) -> list[str]:
        """Names in a folder."""
        ...

    def size(self, path: PurePosixPath) -> int:
        """Bytes of a file."""
        ...

    def read(self, path: PurePosixPath) -> bytes:
        """Content of a file."""
        ...


class WorkingTree:
    """The files as they are on disk."""

    def __init__(self, root: Path) -> None:
        """``root`` is the folder of fleet.yaml."""
        self._root = root

    def kind(self, path: PurePosixPath) -> Kind:
        """By lstat."""
        try:
            mode = (self._root / path).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return Kind.MISSING
        except OSError as error:
            raise _unreadable(path, error) from None
        if stat.S_ISLNK(mode):
            return Kind.LINK
        if stat.S_ISDIR(mode):
            return Kind.FOLDER
        return Kind.FILE if stat.S_ISREG(mode) else Kind.SPECIAL

    def link(self, path: PurePosixPath) -> str:
        """By readlink."""
        return str((self._root / path).readlink())

    def children(self, path: PurePosixPath) -> list[str]:
        """Names in a folder."""
        try:
            return [entry.name for entry in (self._root / path).iterdir()]
        except OSError as error:
            raise _unreadable(path, error) from None

    def size(self, path: PurePosixPath) -> int:
        """Bytes of a file."""
        return (self._root / path).lstat().st_size

    def read(self, path: PurePosixPath) -> bytes:
        """The content; what has become a link or a pipe since the walk is refused, never followed."""
        try:
            handle = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise SpecialFile(f"`{path}` became a link while it was read") from None
            raise _unreadable(path, error) from None
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SpecialFile(f"`{path}` is no plain file")
            return file.read()


class CommitTree:
    """A commit of this repository, loaded folder by folder as the walk asks."""

    def __init__(self, repository: Repository, commit: str, *, recurse: bool) -> None:
        """``recurse`` says whether folders below the asked ones will be wanted."""
        self._repository = repository
        self._commit = commit
        self._recurse = recurse
        self._entries: dict[PurePosixPath, TreeEntry] = {}
        self._folders: dict[PurePosixPath, set[str]] = {}
        self._missing: set[PurePosixPath] = set()

    def kind(self, path: PurePosixPath) -> Kind:
        """From what is loaded, else from the commit."""
        if path not in self._folders and path not in self._entries and path not in self._missing:
            self._load(path)
        entry = self._entries.get(path)
        if entry is not None:
            return Kind.FILE if entry.link is None else Kind.LINK
        return Kind.FOLDER if path in self._folders else Kind.MISSING

    def link(self, path: PurePosixPath) -> str:
        """As committed."""
        return self._entries[path].link or ""

    def children(self, path: PurePosixPath) -> list[str]:
        """Names in a loaded folder."""
        return list(self._folders[path])

    def size(self, path: PurePosixPath) -> int:
        """Bytes of a file."""
        return len(self._entries[path].content)

    def read(self, path: PurePosixPath) -> bytes:
        """As committed."""
        return self._entries[path].content

    def _load(self, path: PurePosixPath) -> None:
        try:
            entries = self._repository.tree(self._commit, str(path), recurse=self._recurse)
        except FleetError:
            self._missing.add(path)
            return
        for entry in entries:
            self._add(PurePosixPath(entry.path), entry, path)
        if path not in self._entries:
            self._folders.setdefault(path, set())

    def _add(self, path: PurePosixPath, entry: TreeEntry, top: PurePosixPath) -> None:
        self._entries[path] = entry
        while path != top:
            self._folders.setdefault(path.parent, set()).add(path.name)
            path = path.parent


def _unreadable(path: PurePosixPath, error: OSError) -> SourceUnreadable:
    return SourceUnreadable(f"`{path}` cannot be read: {error.strerror or 'unknown error'}")
