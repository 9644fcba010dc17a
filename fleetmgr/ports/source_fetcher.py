"""Where manifests come from."""

from __future__ import annotations

from typing import Protocol

from fleetmgr.model.artifact import Artifact
from fleetmgr.model.target import FetchRequest
from fleetmgr.ports.kustomizer import Kustomizer


class SourceFetcher(Kustomizer, Protocol):
    """Reads a source at a revision, pinned and checked; and builds, as a Kustomizer, what overlays change."""

    def fetch(self, request: FetchRequest) -> Artifact:
        """The selected files.

        Raises FleetError when the path or revision does not exist, and Refused when the tree links
        outside itself; nothing of such a tree is read.
        """
        ...
