"""Whether what is applied must be in Git."""

from __future__ import annotations

from enum import StrEnum


class RequireCommit(StrEnum):
    """What must be so of the files that a run reads. Strictest first."""

    PUSHED = "pushed"
    """A branch of a remote has the commit, too; where there is no remote, as COMMITTED."""
    COMMITTED = "committed"
    NEVER = "never"
    """Nothing."""
