"""What ``fleet validate`` found."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.errors import Problem


class FleetSize(Struct, frozen=True, kw_only=True):
    """A valid fleet in numbers."""

    fleet: str
    environments: int
    clusters: int
    apps: int
    targets: int


class Validation(Struct, frozen=True, kw_only=True):
    """Problems in reading order; ``size`` only when there are none. Warnings do not make it invalid."""

    file: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    size: FleetSize | None = None

    @property
    def valid(self) -> bool:
        """Whether a run may use this fleet."""
        return not self.problems
