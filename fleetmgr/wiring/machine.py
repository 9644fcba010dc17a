"""This machine: its clock, its folders."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """Implements ports.clock.Clock with the machine's clock."""

    def now(self) -> datetime:
        """The current time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Pause this thread."""
        time.sleep(seconds)


def xdg(variable: str, default: Path) -> Path:
    """An XDG base folder; the specification says to ignore relative values."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else default
