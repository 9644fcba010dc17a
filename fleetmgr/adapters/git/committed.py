"""Whether files of a working tree are as a commit has them: by their contents, and by nothing else.

``git status`` believes the index: files that it was told to assume unchanged or to skip are never reported, ignored
ones neither, and filters run. A digest over the bytes that a run reads cannot be misled, and runs nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

_LINK = "120000"
_SHA256 = 64
_MANIFESTS = (".yaml", ".yml", ".json")

Committed = Mapping[str, tuple[str, str]]
"""Mode and object id of blobs and links by path."""


def differing(root: Path, name: str, committed: Committed) -> bool:
    """Whether ``name`` (relative to ``root``) is read otherwise than it is committed. Links on the way count with
    their targets; lines that end as on Windows are the same lines."""
    path, links = _followed(root, name)
    for link, target in links:
        if committed.get(link, ("", ""))[0] != _LINK or not _is(target, committed[link][1]):
            return True
    known = committed.get(path)
    try:
        content = (root / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return known is not None
    except OSError:
        return True
    if known is None or known[0] == _LINK:
        return True
    return not (_is(content, known[1]) or _is(content.replace(b"\r\n", b"\n"), known[1]))


def left_out(root: Path, folders: Mapping[str, bool], committed: Committed) -> Iterator[str]:
    """Manifests that are committed in one of ``folders`` (True: or below it) and not there any more."""
    for folder, deep in folders.items():
        path, _ = _followed(root, folder)
        inside = PurePosixPath(path)
        for name in committed:
            parent = PurePosixPath(name).parent
            there = parent == inside or (deep and parent.is_relative_to(inside))
            if there and name.endswith(_MANIFESTS) and not os.path.lexists(root / name):
                yield name


def _followed(root: Path, name: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The path behind all links, and each link on the way with its target. Links were checked to stay inside when the
    source was read; one that does not is left as it is written."""
    links: list[tuple[str, bytes]] = []
    done: list[str] = []
    todo = list(reversed(PurePosixPath(name).parts))
    while todo and len(links) < 40:  # noqa: PLR2004 - as the kernel: so many links and no more
        part = todo.pop()
        if part == "..":
            done = done[:-1]
            continue
        here = "/".join([*done, part])
        if (root / here).is_symlink():
            target = os.readlink(root / here)  # noqa: PTH115 - Path.readlink does not keep the text
            links.append((here, os.fsencode(target)))
            todo += reversed(PurePosixPath(target).parts)
        else:
            done.append(part)
    return "/".join(done) or ".", links


def _is(content: bytes, identifier: str) -> bool:
    """Whether a blob of this content has the object id."""
    kind = hashlib.sha256 if len(identifier) == _SHA256 else hashlib.sha1
    return kind(b"blob %d\0" % len(content) + content).hexdigest() == identifier
