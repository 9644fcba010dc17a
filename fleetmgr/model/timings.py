"""Where the time of a run went: phases, clusters, requests."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Spent(Struct, frozen=True, kw_only=True):
    """Requests of one verb (``list``, ``apply``, ``dry-run``, ...), retries included. ``seconds`` is their sum, so more
    than went by where they ran side by side; ``slowest`` the longest of them. Of a watch it is until it opened."""

    count: int = 0
    seconds: float = 0.0
    slowest: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(
            count=self.count + other.count,
            seconds=self.seconds + other.seconds,
            slowest=max(self.slowest, other.slowest),
        )


Requests = Mapping[str, Spent]
"""By verb."""


class ClusterTimings(Struct, frozen=True, kw_only=True):
    """``phases`` in seconds by the name of the phase (``preview``, ``apply``, ...)."""

    cluster: str
    phases: Mapping[str, float]
    requests: Requests


class Timings(Struct, frozen=True, kw_only=True):
    """A run, from the command line being read. ``phases`` in order; what is between them is in ``seconds`` alone."""

    seconds: float
    phases: Mapping[str, float]
    requests: Requests
    clusters: tuple[ClusterTimings, ...]
