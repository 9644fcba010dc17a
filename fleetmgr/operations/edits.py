"""What ``fleet add`` and ``fleet remove`` have in common: an edit that is proved valid before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from fleetmgr.errors import InvalidInput, Problem, UsageError, Where
from fleetmgr.expansion import expand
from fleetmgr.ports.fleet_file import Edit, FleetFile, Item
from fleetmgr.spec.suggest import suggest

SECTIONS = {"app": "apps", "cluster": "clusters", "environment": "environments"}


class UnknownEntry(UsageError):
    """There is no entry of that name."""

    code: ClassVar[str] = "FLT-6420"


class EntryExists(UsageError):
    """There is an entry of that name already."""

    code: ClassVar[str] = "FLT-6421"


class WouldBeInvalid(InvalidInput):
    """The fleet would be invalid with this edit; nothing is written."""

    code: ClassVar[str] = "FLT-1022"


class Proposal(Struct, frozen=True, kw_only=True):
    """A checked edit that is not written yet. ``notes`` are what its user should know."""

    verb: str
    kind: str
    name: str
    edits: tuple[Edit, ...]
    notes: tuple[str, ...] = ()


def find(file: FleetFile, kind: str, name: str) -> Item:
    """The entry; raises UnknownEntry with the nearest name."""
    items = file.items(SECTIONS[kind])
    item = next((item for item in items if item.name == name), None)
    if item is None:
        known = [item.name for item in items]
        raise UnknownEntry(f"there is no {kind} `{name}`", hint=suggest(name, known, what=f"{kind}s"))
    return item


def must_be_new(file: FleetFile, kind: str, name: str) -> None:
    """Raise EntryExists, saying where, when there is such an entry."""
    for item in file.items(SECTIONS[kind]):
        if item.name == name:
            where = Where(file=item.file, line=item.line)
            raise EntryExists(f"{kind} `{name}` exists already", where=where, hint="choose another name")


def proposed(
    file: FleetFile, verb: str, kind: str, name: str, edits: Sequence[Edit], notes: Sequence[str] = ()
) -> Proposal:
    """The edits as a Proposal; raises WouldBeInvalid with every problem that the fleet would have."""
    try:
        expand(file.check(edits))
    except InvalidInput as error:
        last = Problem(
            message=f"nothing was written: the fleet would be invalid after `fleet {verb} {kind} {name}`",
            hint="the places above are in the files as they would be",
            code=WouldBeInvalid.code,
        )
        raise WouldBeInvalid((*error.problems, last)) from None
    return Proposal(verb=verb, kind=kind, name=name, edits=tuple(edits), notes=tuple(notes))
