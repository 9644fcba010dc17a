"""Which files a source has, with every link resolved by hand and checked before anything is read.

Links may lead anywhere inside the folder of fleet.yaml, to files and folders, over several hops. One that
leaves it, at any hop, or is absolute, makes the whole source refused. Hidden folders (``.git``, ``.venv``)
are never entered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from msgspec import Struct

from fleetmgr.adapters.sources.refusals import SourceEscapes, SourceNotFound, SourceTooLarge, SourceUnreadable
from fleetmgr.adapters.sources.trees import Kind, Tree

ROOT = PurePosixPath()
_MAX_HOPS = 40
_MAX_ENTRIES = 100_000


class Found(Struct, frozen=True):
    """``path`` is where the file shows up, ``real`` where it is; they differ behind links. ``kind`` is of
    what is there in the end: file, special, or missing behind a link."""

    path: PurePosixPath
    real: PurePosixPath
    kind: Kind


def source_path(path: str) -> PurePosixPath:
    """The path of a request, refused when it could leave the repository by itself."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\0" in path or not path:
        raise SourceEscapes(
            f"path `{path}` leaves the repository", hint="write a path relative to the folder of fleet.yaml"
        )
    return parts


def walk(tree: Tree, path: PurePosixPath, *, recurse: bool) -> list[Found]:
    """Every file at or below ``path``, sorted.

    Raises SourceEscapes for a link that leaves the tree anywhere in what is walked, and SourceNotFound.
    """
    real = resolve(tree, path)
    kind = tree.kind(real)
    if kind is Kind.MISSING:
        raise SourceNotFound(f"path `{path}` is not there", hint="check `source.path`")
    if kind is not Kind.FOLDER:
        return [Found(path, real, kind)]
    walker = _Walker(tree, recurse=recurse)
    return sorted(walker.folder(path, real, (real,)), key=lambda found: str(found.path))


def resolve(tree: Tree, path: PurePosixPath) -> PurePosixPath:
    """``path`` without links. The result may not exist; it never lies outside. Raises SourceEscapes."""
    done, hops = ROOT, 0
    todo = list(reversed(path.parts))
    while todo:
        part = todo.pop()
        if part == "..":
            if done == ROOT:
                raise _escapes(path)
            done = done.parent
            continue
        step = done / part
        if tree.kind(step) is not Kind.LINK:
            done = step
            continue
        hops += 1
        if hops > _MAX_HOPS:
            raise SourceUnreadable(f"`{path}`: links lead in a circle")
        target = PurePosixPath(tree.link(step))
        if target.is_absolute():
            raise _escapes(path)
        todo += reversed(target.parts)
    return done


class _Walker:
    """One walk. It is counted: a few links that point at each other's folders multiply without end."""

    def __init__(self, tree: Tree, *, recurse: bool) -> None:
        self._tree = tree
        self._recurse = recurse
        self._left = _MAX_ENTRIES

    def folder(
        self, path: PurePosixPath, real: PurePosixPath, above: tuple[PurePosixPath, ...]
    ) -> Iterator[Found]:
        for name in self._tree.children(real):
            self._left -= 1
            if self._left < 0:
                raise SourceTooLarge(f"`{path}` and what is around it have more than {_MAX_ENTRIES} entries")
            here, there = path / name, real / name
            kind = self._tree.kind(there)
            if kind is Kind.LINK:
                there = resolve(self._tree, there)
                kind = self._tree.kind(there)
            if kind is not Kind.FOLDER:
                yield Found(here, there, kind)
            elif self._recurse and not name.startswith("."):
                if there in above:
                    raise SourceUnreadable(f"`{here}`: links lead in a circle")
                yield from self.folder(here, there, (*above, there))


def _escapes(path: PurePosixPath) -> SourceEscapes:
    return SourceEscapes(
        f"`{path}` links to a place outside the repository; nothing of this source was read",
        hint="replace the link by a copy, or link inside the folder of fleet.yaml",
    )
