"""A document of a source file: plain JSON, with the places that a later message may need."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetmgr.model.jsontypes import Json

BROKEN = "FLT-1301"
DUPLICATE_KEY = "FLT-1302"
NOT_JSON = "FLT-1303"

PathPart = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A string scalar that holds ``${``: where it is in the value and in the file (1-based)."""

    path: tuple[PathPart, ...]
    text: str = field(repr=False)
    plain: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a file. ``line`` and ``column`` (1-based) are those of its first key."""

    index: int
    value: Json = field(repr=False)
    line: int
    column: int
    slots: tuple[Slot, ...] = ()
