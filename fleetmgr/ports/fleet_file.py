"""fleet.yaml and the files that it includes, as texts to edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.veiled import Veiled

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet


class Edit(Veiled, frozen=True, kw_only=True):
    """One file before and after; None is a file that is not there. ``file`` is relative to fleet.yaml."""

    VEILED = frozenset({"before", "after"})

    file: str
    before: bytes | None
    after: bytes | None


class Item(Struct, frozen=True, kw_only=True):
    """An entry of a list of fleet.yaml, includes followed: its name, where it is written, and its data."""

    name: str
    file: str
    line: int
    data: JsonObject


class FleetFile(Protocol):
    """Every method raises FleetError subclasses only. Nothing but ``write`` writes."""

    def items(self, section: str) -> tuple[Item, ...]:
        """The entries of ``environments``, ``clusters`` or ``apps``, in order."""
        ...

    def overlays(self, *, app: str | None = None, environment: str | None = None) -> tuple[str, ...]:
        """Overlay files of an app or of an environment, relative to fleet.yaml, sorted."""
        ...

    def has(self, path: str) -> bool:
        """Whether there is such a file or folder beside fleet.yaml."""
        ...

    def add(self, section: str, entry: JsonObject, *, after: str | None = None) -> Edit:
        """``entry`` at the end of a section, or behind the entry ``after``."""
        ...

    def remove(self, section: str, name: str) -> Edit:
        """The file of an entry without it."""
        ...

    def delete(self, file: str) -> Edit:
        """A file, gone."""
        ...

    def check(self, edits: Sequence[Edit]) -> LoadedFleet:
        """The fleet with these edits; raises InvalidInput when it is not valid then."""
        ...

    def write(self, edits: Sequence[Edit]) -> None:
        """Write them, each file at once or not at all; refused when one changed since it was read."""
        ...
