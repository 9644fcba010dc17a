"""Finding the autoscaler of a workload: in what Git wants, else on the cluster, asked only where replicas are at
stake and once a namespace."""

from __future__ import annotations

from collections.abc import Iterator

from fleetmgr.engine.autoscaling import AUTOSCALERS, REPLICAS, at_stake, autoscaler_of, scaled_by
from fleetmgr.engine.holding import Held
from fleetmgr.model.change import FieldDiff, Left, LeftField
from fleetmgr.model.jsontypes import JsonObject, child
from fleetmgr.model.objects import ref_of
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster_errors import AccessDenied, ObjectGone


def handed_over(scene: Scene, resource: Resource, live: JsonObject, known: Held) -> tuple[LeftField, ...]:
    """The replicas of an object that an autoscaler sets, where an apply would set them otherwise; else ().

    Raises ClusterError.
    """
    if not at_stake(resource.inputs, live, known):
        return ()
    found = autoscaler_of(resource.ref, _desired(scene, resource.ref.namespace))
    if found is None:
        try:
            found = autoscaler_of(resource.ref, _staying(scene, resource.ref.namespace))
        except AccessDenied:
            found = scaled_by(known)
    if found is None:
        return ()
    field = FieldDiff(
        path=REPLICAS,
        old=child(live, "spec", "replicas"),
        new=child(resource.inputs, "spec", "replicas"),
    )
    return (LeftField(field=field, manager=found, why=Left.AUTOSCALER),)


def _desired(scene: Scene, namespace: str) -> Iterator[JsonObject]:
    return (
        r.inputs
        for key, r in scene.resources.items()
        if key.group_kind in AUTOSCALERS and key.namespace == namespace
    )


def _staying(scene: Scene, namespace: str) -> Iterator[JsonObject]:
    """Autoscalers of the cluster, but not those that are ours and no longer desired."""
    for body in _on_cluster(scene, namespace):
        key = ref_of(body).key
        if key in scene.resources or key not in scene.live:
            yield body


def _on_cluster(scene: Scene, namespace: str) -> tuple[JsonObject, ...]:
    known = scene.autoscalers.get(namespace)
    if known is not None:
        return known
    found: list[JsonObject] = []
    for kind in AUTOSCALERS:
        served = scene.discovery.preferred.get(kind)
        if served is None:
            continue
        try:
            found += scene.client.list(served, namespace=namespace)
        except ObjectGone:
            continue
    return scene.autoscalers.setdefault(namespace, tuple(found))
