"""Two entries that meet one new cluster at once: no marker tells them apart yet, the cluster's own UID does."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.errors import Where
from fleetmgr.model.change import ClusterFailure, ClusterPlan, ClusterStatus
from fleetmgr.operations.embedded.entry import WrongCluster
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.walk import Walk


def refuse_shared(walk: Walk, plans: Sequence[ClusterPlan]) -> list[ClusterPlan]:
    """The plans, with WrongCluster (exit 5) in place of each that meets, for the first time, the very cluster
    that an earlier entry of this walk meets too, unless sharing it is spelled out."""
    seen: dict[str, Scene] = {}
    checked: list[ClusterPlan] = []
    for part in plans:
        scene = walk.scenes.get(part.cluster) if part.failure is None else None
        if scene is None or not scene.uid:
            checked.append(part)
            continue
        earlier = seen.setdefault(scene.uid, scene)
        meant = earlier is scene or scene.entry.identity or earlier.entry.cluster in scene.entry.shares_with
        checked.append(part if meant else _refused(part, scene, earlier))
    return checked


def _refused(part: ClusterPlan, scene: Scene, earlier: Scene) -> ClusterPlan:
    error = WrongCluster(
        f"{scene.client.server} is the cluster of entry {earlier.entry.cluster}, not of {part.cluster}: both "
        f"have the kube-system UID {scene.uid}",
        where=Where(cluster=part.cluster, field="access"),
        hint="check the context of this entry; if both are meant to share this API server, give them the same "
        "access, or pin `identity` to its kube-system UID",
    )
    return ClusterPlan(
        cluster=part.cluster,
        environment=part.environment,
        status=ClusterStatus.ERROR,
        failure=ClusterFailure(problem=error.problem(), exit_code=error.exit_code),
    )
