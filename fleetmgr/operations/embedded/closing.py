"""Forgetting a cluster entry that is destroyed: what we keep there goes once nothing else is left, its marker last.

The Lease stays: it is held while this happens, and its counter keeps what a run that slept through all of it would
write from being taken for newer.
"""

from __future__ import annotations

import contextlib

from fleetmgr.model.applyset import (
    CLUSTER_LABEL,
    FLEET_LABEL,
    RECORD_LABEL,
    SYSTEM_NAMESPACE,
    key_name,
    marker_name,
)
from fleetmgr.model.jsontypes import object_at
from fleetmgr.operations.embedded.entry import CONFIG_MAPS, SECRETS, delete_kept
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster_errors import AccessDenied
from fleetmgr.rollout.record import ROLLOUTS_LABEL


def is_over(scene: Scene) -> bool:
    """Whether an entry that is destroyed has nothing left but what says that it is there."""
    return scene.removing and not scene.parents and not scene.first_contact


def close_entry(scene: Scene) -> None:
    """Delete rollouts, key and marker of the entry, in this order, and before them what Pulumi keeps of it; nothing
    while an app is remembered.

    Raises ClusterError and PulumiError. A run that is killed in between is finished by the next: the marker goes last.
    """
    entry = scene.entry
    kept = scene.client.list(
        CONFIG_MAPS,
        namespace=SYSTEM_NAMESPACE,
        selector=f"{FLEET_LABEL}={entry.fleet},{CLUSTER_LABEL}={entry.cluster}",
    )
    if any(object_at(body, "metadata", "labels").get(RECORD_LABEL) == "applyset" for body in kept):
        return
    if scene.pulumi is not None:
        scene.pulumi.remove()
    rollouts = scene.client.list(
        CONFIG_MAPS,
        namespace=SYSTEM_NAMESPACE,
        selector=f"{ROLLOUTS_LABEL}={entry.fleet},{CLUSTER_LABEL}={entry.cluster}",
    )
    for body in rollouts:
        delete_kept(scene.client, CONFIG_MAPS, str(object_at(body, "metadata")["name"]))
    with contextlib.suppress(AccessDenied):  # who may not see it has not made it either
        delete_kept(scene.client, SECRETS, key_name(entry.fleet, entry.cluster))
    delete_kept(scene.client, CONFIG_MAPS, marker_name(entry.fleet, entry.cluster))
