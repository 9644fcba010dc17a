"""What kustomize gave, by the content of what it read: a commit that does not touch a tree costs no process.

Entries hold their own digest: one that was cut off or edited is built again. They may hold Secrets, so only
this user can read them. Writers never wait for each other: an entry appears by a rename, and two that build
the same tree write the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from fleetmgr.adapters.kustomize.program import KustomizeProgram
from fleetmgr.ports.kustomizer import KustomizeTree
from fleetmgr.whole_files import write_whole

FORMAT = b"fleetmgr-rendered-1"
MAX_BYTES = 256 * 1024 * 1024
MAX_ENTRIES = 4096

_DIGEST = 32


class CachedKustomizer:
    """Implements ports.kustomizer.Kustomizer in front of a program."""

    def __init__(self, program: KustomizeProgram, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        """``folder`` is made when the first entry is written."""
        self._program = program
        self._folder = folder
        self._max_bytes = max_bytes

    def build(self, tree: KustomizeTree) -> bytes:
        """As the port says; failures are never kept."""
        key = _key(tree, self._program.identity())
        kept = self._read(key)
        if kept is not None:
            return kept
        built = self._program.build(tree)
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            self._write(key, built)
        return built

    def _read(self, key: str) -> bytes | None:
        path = self._folder / key
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, built = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(built).digest() != digest:
            return None
        with suppress(OSError):
            os.utime(path)  # the oldest by use goes first
        return built

    def _write(self, key: str, built: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        # not durable: what a crash cuts off no longer has its digest
        write_whole(self._folder / key, hashlib.sha256(built).digest() + built, durable=False)
        self._shrink()

    def _shrink(self) -> None:
        entries: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                facts = path.stat()
                entries.append((facts.st_mtime, facts.st_size, path))
        entries.sort(key=lambda entry: entry[0])
        total, count = sum(size for _, size, _ in entries), len(entries)
        for _, size, path in entries[:-1]:
            if total <= self._max_bytes and count <= MAX_ENTRIES:
                return
            path.unlink(missing_ok=True)
            total, count = total - size, count - 1


def _key(tree: KustomizeTree, program: str) -> str:
    digest = hashlib.sha256(FORMAT)
    _feed(digest.update, {"program": program.encode(), "folder": tree.folder.encode()})
    _feed(digest.update, tree.files)
    _feed(digest.update, {path: target.encode() for path, target in tree.links.items()})
    return digest.hexdigest()


def _feed(update: Callable[[bytes], None], parts: Mapping[str, bytes]) -> None:
    update(b"#%d:" % len(parts))
    for name in sorted(parts):
        encoded = name.encode("utf-8", "surrogateescape")
        update(b"%d:%b%d:" % (len(encoded), encoded, len(parts[name])))
        update(parts[name])
