"""An Artifact is a source as fetched: pinned, digested, already checked for links that leave the tree."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.target import FetchRequest
from fleetmgr.veiled import Veiled


class SourceFile(Veiled, frozen=True, kw_only=True):
    """One file: ``path`` relative to the repository root, raw bytes."""

    VEILED = frozenset({"content"})

    path: str
    content: bytes


class Artifact(Struct, frozen=True, kw_only=True):
    """The files that a FetchRequest selects, sorted by path.

    ``revision`` is the full commit id, or None for the working tree. ``digest`` is the SHA-256 (hex) over
    the paths and contents.
    """

    request: FetchRequest
    revision: str | None
    digest: str
    files: tuple[SourceFile, ...]
