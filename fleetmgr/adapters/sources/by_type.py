"""Each source type has its fetcher."""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.model.artifact import Artifact
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.source_fetcher import SourceFetcher


class SourcesByType:
    """A SourceFetcher that hands each request to the one for its type."""

    def __init__(self, fetchers: Mapping[str, SourceFetcher]) -> None:
        """``fetchers`` by ``source.type``."""
        self._fetchers = fetchers

    def fetch(self, request: FetchRequest) -> Artifact:
        """As the type's fetcher."""
        return self._fetchers[request.type].fetch(request)
