"""One process at a time for work that two must not do at once: a build, a start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Locks(Protocol):
    """Locks between processes of one machine; a dead holder never blocks anybody."""

    def hold(
        self, path: Path, *, what: str, timeout: float, progress: Callable[[str], None]
    ) -> AbstractContextManager[None]:
        """Hold the lock file at ``path`` inside the block.

        Waits up to ``timeout`` seconds and says through ``progress`` that it waits for
        ``what``; raises a FleetError with exit code 8 when the other does not end.
        """
        ...
