"""The programs that the sandbox runs, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol


class Toolchain(Protocol):
    """Finds, downloads or builds pinned programs."""

    def provide(self, progress: Callable[[str], None]) -> Mapping[str, Path]:
        """Program name (``kube-apiserver``) to an executable of the pinned minor version.

        Minutes on the first call of a machine, milliseconds afterwards; ``progress`` gets
        a line for each step and at least every 15 s. Raises a FleetError that says what
        could not be had and why.
        """
        ...
