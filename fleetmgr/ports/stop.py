"""Somebody asked to stop: what is being written is finished, nothing new is begun."""

from __future__ import annotations

from typing import Protocol


class Stop(Protocol):
    """A ``threading.Event`` does."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...
