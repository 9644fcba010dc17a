"""What a renamed fleet takes over from its old name."""

from __future__ import annotations

from msgspec import Struct

from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.objects import ObjectRef


class AdoptedCluster(Struct, frozen=True, kw_only=True):
    """One entry: ``apps`` whose memory is still under the old name, ``objects`` that are. ``done`` once it was done."""

    cluster: str
    environment: str
    apps: tuple[str, ...] = ()
    objects: tuple[ObjectRef, ...] = ()
    left: bool = False
    """Whether anything is still under the old name, if only its marker."""
    failure: ClusterFailure | None = None
    done: bool = False


class FleetAdoption(Struct, frozen=True, kw_only=True):
    """``before`` is the old name, ``fleet`` the new one."""

    fleet: str
    before: str
    clusters: tuple[AdoptedCluster, ...]

    @property
    def pending(self) -> bool:
        """Whether there is anything to do."""
        return any(cluster.left for cluster in self.clusters)
