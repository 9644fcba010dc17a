"""The fleet as it was at another revision: what a rollback goes back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from fleetmgr.ports.source_fetcher import SourceFetcher

if TYPE_CHECKING:
    from fleetmgr.spec import LoadedFleet


class PastFleet(Struct, frozen=True, kw_only=True):
    """A fleet at one commit, with the sources of that commit."""

    revision: str
    """Full commit id."""
    loaded: LoadedFleet
    fetcher: SourceFetcher


class Past(Protocol):
    """Opens revisions of the repository; thread-safe."""

    def at(self, revision: str) -> PastFleet:
        """The fleet at a commit. Raises FleetError when it is not there, InvalidInput when it cannot be read."""
        ...

    def close(self) -> None:
        """Drop the copies."""
        ...
