"""Processes of this machine: the one that we are, and whether another one still runs."""

from __future__ import annotations

from typing import Protocol


class Processes(Protocol):
    """Identities are opaque texts that name one process of one machine for ever; "" names none."""

    def this(self) -> str:
        """Our own identity; "" where this machine has none to give."""
        ...

    def dead(self, identity: str) -> bool:
        """Whether the process certainly runs no more. Of another machine's processes nothing is certain."""
        ...
