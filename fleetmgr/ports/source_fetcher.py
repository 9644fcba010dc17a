"""Where manifests come from."""

from __future__ import annotations

from typing import Protocol

from fleetmgr.model.artifact import Artifact
from fleetmgr.model.target import FetchRequest


class SourceFetcher(Protocol):
    """Reads a source at a revision, pinned and checked."""

    def fetch(self, request: FetchRequest) -> Artifact:
        """The selected files.

        Raises FleetError when the path or revision does not exist, and Refused when the tree links
        outside itself; nothing of such a tree is read.
        """
        ...
