"""Each source type has its fetcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from fleetmgr.model.artifact import Artifact
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.kustomizer import Kustomizer, KustomizeTree


class Fetcher(Protocol):
    """The fetcher of one type."""

    def fetch(self, request: FetchRequest) -> Artifact:
        """As ports.SourceFetcher."""
        ...


class SourcesByType:
    """The SourceFetcher of a fleet: hands each request to the fetcher for its type."""

    def __init__(self, fetchers: Mapping[str, Fetcher], kustomizer: Callable[[], Kustomizer]) -> None:
        """``fetchers`` by ``source.type``; ``kustomizer`` is called when the first tree is built."""
        self._fetchers = fetchers
        self._make = kustomizer
        self._kustomizer: Kustomizer | None = None

    def fetch(self, request: FetchRequest) -> Artifact:
        """As the type's fetcher."""
        return self._fetchers[request.type].fetch(request)

    def build(self, tree: KustomizeTree) -> bytes:
        """As ports.Kustomizer."""
        if self._kustomizer is None:
            self._kustomizer = self._make()
        return self._kustomizer.build(tree)
