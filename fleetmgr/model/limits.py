"""How much one run may delete: what fleet.yaml allows, what the command line said yes to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

_ALLOWANCE = re.compile(r"(\d{1,9})(%?)")
_WHOLE = 100


class Allowance(Struct, frozen=True, kw_only=True):
    """``20`` or ``10%``: so many objects, or such a part of those that are owned. ``said_by`` is for people."""

    number: int
    percent: bool = False
    said_by: str = ""

    def of(self, owned: int) -> int:
        """How many of ``owned`` objects may go; a part of an object is none."""
        return owned * self.number // _WHOLE if self.percent else self.number

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.number}%" if self.percent else str(self.number)


def allowance(text: str, *, said_by: str) -> Allowance | None:
    """``20``, ``10%``; None for anything else."""
    match = _ALLOWANCE.fullmatch(text)
    if match is None:
        return None
    number, percent = int(match[1]), bool(match[2])
    return None if percent and number > _WHOLE else Allowance(number=number, percent=percent, said_by=said_by)


class AppLimits(Struct, frozen=True, kw_only=True):
    """What holds for one app besides what holds for its cluster entry. ``max_deletes`` None says nothing."""

    max_deletes: Allowance | None = None
    allow_empty: bool = False


class ClusterLimits(Struct, frozen=True, kw_only=True):
    """What holds on one cluster entry: every one of ``max_deletes``; none of them is the built-in budget.

    ``binding`` False: nobody said so of this very cluster, so that an app's own word counts for the app instead.
    ``apps`` are those that are in fleet.yaml; ``empty_apps`` is what holds for those that are not any more.
    """

    max_deletes: tuple[Allowance, ...] = ()
    binding: bool = False
    allow_empty: bool = False
    apps: Mapping[str, AppLimits] = field(default_factory=dict[str, AppLimits])
