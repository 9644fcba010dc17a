"""Frozen data whose ``repr`` must not show everything: bodies of objects may be Secrets, keys are keys.

A ``repr`` ends up where nobody looks first: in an assertion, in a log line, in the report of a bug.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class Veiled(Struct, frozen=True, kw_only=True):
    """A Struct whose ``VEILED`` fields are left out of ``repr``."""

    VEILED: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        """As a Struct's, without what is veiled."""
        shown = (f"{n}={getattr(self, n)!r}" for n in self.__struct_fields__ if n not in self.VEILED)
        return f"{type(self).__name__}({', '.join(shown)})"
