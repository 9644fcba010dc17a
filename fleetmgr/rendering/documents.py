"""A document of a source file: plain JSON, with the places that a later message may need."""

from __future__ import annotations

from fleetmgr.model.jsontypes import Json
from fleetmgr.veiled import Veiled

BROKEN = "FLT-1301"
DUPLICATE_KEY = "FLT-1302"
NOT_JSON = "FLT-1303"

PathPart = str | int


class Slot(Veiled, frozen=True, kw_only=True):
    """A string scalar that holds ``${``: where it is in the value and in the file (1-based)."""

    VEILED = frozenset({"text"})

    path: tuple[PathPart, ...]
    text: str
    plain: bool
    line: int
    column: int


class Document(Veiled, frozen=True, kw_only=True):
    """One document of a file. ``line`` and ``column`` (1-based) are those of its first key."""

    VEILED = frozenset({"value"})

    index: int
    value: Json
    line: int
    column: int
    slots: tuple[Slot, ...] = ()
