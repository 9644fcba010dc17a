"""An Artifact is a source as fetched: pinned, digested, already checked for links that leave the tree."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.errors import Problem
from fleetmgr.model.target import FetchRequest
from fleetmgr.veiled import Veiled

PLAIN_MARK = "${fleetmgr:plain:"
"""Stands for ``${`` of an unquoted value that is nothing but one variable while kustomize, which keeps no
quotes, has the file: such a value takes the variable's type."""


class SourceFile(Veiled, frozen=True, kw_only=True):
    """One file: ``path`` relative to the repository root, raw bytes."""

    VEILED = frozenset({"content"})

    path: str
    content: bytes


class Artifact(Struct, frozen=True, kw_only=True):
    """The files that a FetchRequest selects, sorted by path.

    ``revision`` is the full commit id, or None for the working tree. ``digest`` is the SHA-256 (hex) over
    the paths and contents. For ``type: kustomize`` there is one file: the objects as kustomize gave them, under
    the name of the kustomization. ``warnings`` are about the source itself.
    """

    request: FetchRequest
    revision: str | None
    digest: str
    files: tuple[SourceFile, ...]
    warnings: tuple[Problem, ...] = ()
    read: tuple[str, ...] = ()
    """Files of the repository that it was made of, and the links that led to them."""
