"""Where the repository around a folder is: found on disk, whatever the environment says.

Hooks and wrappers run programs with GIT_DIR, GIT_WORK_TREE or GIT_INDEX_FILE set, and Git is given our
environment. So every variable by which Git could be led elsewhere is set to what was found.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

_PREFIX = "gitdir: "


class Location(Struct, frozen=True, kw_only=True):
    """``folder`` is where Git keeps its own files, ``common`` where all working trees of it share theirs; ``top`` of
    the working tree, None for a bare repository."""

    folder: Path
    common: Path
    top: Path | None = None

    def environment(self) -> dict[str, str]:
        """Variables that hold Git to this repository."""
        held = {
            "GIT_DIR": str(self.folder),
            "GIT_COMMON_DIR": str(self.common),
            "GIT_INDEX_FILE": str(self.folder / "index"),
            "GIT_OBJECT_DIRECTORY": str(self.common / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
            "GIT_NAMESPACE": "",
        }
        return held | {"GIT_WORK_TREE": str(self.top or self.folder)}


def located(root: Path) -> Location | None:
    """The repository whose working tree holds ``root`` (resolved); None where there is none."""
    for top in (root, *root.parents):
        folder = _folder(top / ".git")
        if folder is not None:
            return Location(folder=folder, common=_common(folder), top=top)
    return None


def bare(folder: Path) -> Location:
    """A repository without a working tree."""
    return Location(folder=folder, common=folder)


def _folder(dotgit: Path) -> Path | None:
    """``.git`` is a folder, or a file that names one (linked working trees, submodules)."""
    try:
        if dotgit.is_file():
            text = dotgit.read_text(encoding="utf-8", errors="surrogateescape").rstrip("\r\n")
            dotgit = dotgit.parent / text.removeprefix(_PREFIX) if text.startswith(_PREFIX) else dotgit
        return dotgit.resolve() if (dotgit / "HEAD").exists() else None
    except OSError:
        return None


def _common(folder: Path) -> Path:
    try:
        text = (folder / "commondir").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return folder
    return (folder / text.rstrip("\r\n")).resolve()
