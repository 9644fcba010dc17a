"""What is outside this repository, for the hosts that fleet.yaml allows: single files and Git repositories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from fleetmgr.errors import FleetError, Refused
from fleetmgr.model.target import RemoteHost
from fleetmgr.ports.repository import Repository


class RemoteRefused(Refused):
    """The address leads to a place that is not allowed: another host, or an address inside the network."""

    code: ClassVar[str] = "FLT-5022"


class RemoteFailed(FleetError):
    """An allowed host did not give what was asked for; the message holds no credentials and no content."""

    code: ClassVar[str] = "FLT-1216"


class RemoteFiles(Protocol):
    """Single files by https."""

    def read(self, url: str, hosts: Sequence[RemoteHost]) -> bytes:
        """The content, read once a run. Raises RemoteRefused and RemoteFailed."""
        ...


class RemoteRepositories(Protocol):
    """Git repositories by https."""

    def fetch(self, url: str, revision: str, hosts: Sequence[RemoteHost]) -> tuple[Repository, str]:
        """The repository with ``revision`` (commit, tag or branch) in it, and its full commit id.

        A full commit id that was fetched before costs no request. Raises RemoteRefused and RemoteFailed.
        """
        ...
