"""An Artifact is a source as fetched: pinned, digested, already checked for links that leave the tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetmgr.model.target import FetchRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file: ``path`` relative to the repository root, raw bytes."""

    path: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """The files that a FetchRequest selects, sorted by path.

    ``revision`` is the full commit id, or None for the working tree. ``digest`` is the SHA-256 (hex) over
    the paths and contents.
    """

    request: FetchRequest
    revision: str | None
    digest: str
    files: tuple[SourceFile, ...]
