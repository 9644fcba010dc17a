"""The Git repository that holds fleet.yaml."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from fleetmgr.veiled import Veiled


class TreeEntry(Veiled, frozen=True, kw_only=True):
    """A file of a commit: ``path`` relative to the folder of fleet.yaml; ``link`` is a symlink's target."""

    VEILED = frozenset({"content"})

    path: str
    content: bytes = b""
    link: str | None = None


class Repository(Protocol):
    """Read-only view of the repository around ``root`` (the folder of fleet.yaml)."""

    @property
    def root(self) -> Path:
        """Folder of fleet.yaml; may be below the top of the repository."""
        ...

    def head(self) -> str | None:
        """Full commit id of HEAD; None outside Git or before the first commit."""
        ...

    def dirty(self) -> bool:
        """Whether the working tree differs from HEAD below ``root`` (untracked files count)."""
        ...

    def uncommitted(self, files: Collection[str], folders: Mapping[str, bool]) -> tuple[str, ...]:
        """Those of ``files`` (relative to ``root``) whose contents are not those of HEAD, or that only one of both has;
        and manifests that HEAD has in ``folders`` (True: below them as well) and the working tree has not. Outside
        Git: all that exist. Sorted."""
        ...

    def pushed(self, commit: str) -> bool:
        """Whether a branch of a remote has the commit, as far as it was fetched; True where there is no remote."""
        ...

    def resolve(self, revision: str) -> str:
        """Full commit id of a commit, tag or branch; raises FleetError when it is none."""
        ...

    def tree(self, commit: str, path: str, *, recurse: bool) -> tuple[TreeEntry, ...]:
        """Files below ``path`` at ``commit``, sorted; raises FleetError when the path is not there."""
        ...

    def moved_on(self, commit: str) -> str | None:
        """RFC 3339: when the first commit after ``commit`` on the way to HEAD was made; None when HEAD does not come
        after it, or it is not here."""
        ...
