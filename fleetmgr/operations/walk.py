"""What every verb needs: the loaded fleet and the ports, bundled once by wiring."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import field

from fleetmgr.model.consent import NO_CONSENT, Consent
from fleetmgr.model.pace import STEADY, Pace
from fleetmgr.model.verify import Verify
from fleetmgr.operations.embedded.lease import LockRequest
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import ClusterConnector
from fleetmgr.ports.past import Past
from fleetmgr.ports.repository import Repository
from fleetmgr.ports.source_fetcher import SourceFetcher
from fleetmgr.veiled import Veiled

if TYPE_CHECKING:
    from fleetmgr.model.change import ClusterPlan
    from fleetmgr.model.report import DoctorCheck
    from fleetmgr.ports.pulumi import PulumiStack
    from fleetmgr.spec import Cluster, LoadedFleet


def embedded(cluster: str) -> PulumiStack | None:
    """No cluster is performed by Pulumi."""
    del cluster
    return None


def no_opinion(walk: Walk, scene: Scene, plan: ClusterPlan) -> ClusterPlan:
    """Nobody but us is asked."""
    del walk, scene
    return plan


def no_tools(clusters: Sequence[Cluster]) -> Iterable[DoctorCheck]:
    """Nothing is needed beyond what comes with fleetmgr."""
    del clusters
    return ()


class Walk(Veiled, frozen=True, kw_only=True):
    """The ground that a walk stands on. ``actor`` is recorded with every apply."""

    VEILED = frozenset({"stop", "scenes", "stacks", "opinion"})

    loaded: LoadedFleet
    repository: Repository
    fetcher: SourceFetcher
    connector: ClusterConnector
    clock: Clock
    actor: str
    parallel: int
    """Clusters at a time."""
    adopt: bool = False
    """Existing objects that other tools made are taken over, whatever the apps' own policy (``--adopt``)."""
    force: bool = False
    """Fields that others hold are taken and immutable objects are replaced (``--force``)."""
    verify: Verify = Verify.AUTO
    """Which objects the servers are asked about."""
    extra_fields: bool = False
    """Plans list live fields that are not in Git."""
    consent: Consent = NO_CONSENT
    """What has been said yes to for this run."""
    lock: LockRequest | None = None
    """Who takes the leases of the entries that are written to; None takes none."""
    pace: Pace = STEADY
    """How it goes through environments, waves and windows."""
    dirty_reason: str = ""
    """Why files are applied that are not in Git (``--allow-dirty``)."""
    stacks: Callable[[str], PulumiStack | None] = embedded
    """The Pulumi stack of an entry that Pulumi performs; None for those that we perform. Raises PulumiError."""
    opinion: Callable[[Walk, Scene, ClusterPlan], ClusterPlan] = no_opinion
    """What becomes of the plan of an entry that Pulumi performs, once Pulumi has seen it. Raises PulumiError."""
    whole_opinion: bool = False
    """Pulumi is asked about what is as desired, too."""
    tools: Callable[[Sequence[Cluster]], Iterable[DoctorCheck]] = no_tools
    """What is needed on this machine for these entries, as `fleet doctor` shows it."""
    past: Past | None = None
    """The fleet as it was at other revisions; None where that cannot be had."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set by an interrupt."""
    scenes: dict[str, Scene] = field(default_factory=dict[str, Scene])
    """What this walk has read, by cluster: an apply acts on exactly what its plan looked at."""
