"""How much of a plan is asked of the server (``--verify``)."""

from __future__ import annotations

from enum import StrEnum


class Verify(StrEnum):
    """Which objects the server is asked about by dry run."""

    AUTO = "auto"
    """Those that may differ, as compared."""
    ALWAYS = "always"
    """Every desired object."""
    NEVER = "never"
    """None: what differs is told as compared, and marked unverified. Needs no right to write."""


NOT_ASKED = "the server was not asked (--verify never)"
