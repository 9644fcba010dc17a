"""``fleet export pulumi-state``: what is ours on a cluster, as a Pulumi stack that goes on without fleetmgr."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.engine.deployment import Exported, deployment
from fleetmgr.engine.goals import WayIn, goals
from fleetmgr.engine.ownership import Owner
from fleetmgr.engine.registering import registered
from fleetmgr.engine.secrecy import is_secret
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectKey, ref_of
from fleetmgr.model.resource import Stack
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.operations.embedded.pulumi.served import served_kinds
from fleetmgr.operations.embedded.scene import Scene, read_scene
from fleetmgr.ports.cluster import ClusterClient
from fleetmgr.veiled import Veiled


class StateExport(Veiled, frozen=True, kw_only=True):
    """``document`` for `pulumi stack import`. Left out are objects of Git that are ``absent`` on the cluster or
    ``foreign`` there, ``secrets``, and ``dropped``: ours, but no longer in Git."""

    VEILED = frozenset({"document"})

    cluster: str
    document: JsonObject
    objects: int
    absent: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def export_state(
    client: ClusterClient, entry: Entry, stack: Stack, *, way: WayIn, pulumi: str, at: str
) -> StateExport:
    """The state of a cluster, which is only read. Raises WrongCluster, ClusterError, InvalidInput."""
    scene = read_scene(client, entry, stack, apps=None)
    complete = registered(
        replace(stack, resources=tuple(scene.resources.values())), served_kinds(scene.discovery)
    )
    left: dict[str, list[str]] = {"absent": [], "foreign": [], "secrets": [], "dropped": []}
    live: dict[str, JsonObject] = {}
    for resource in complete.resources:
        reason = _left_out(scene, resource.ref.key, resource.inputs)
        if reason:
            left[reason].append(str(resource.ref))
        else:
            urn = resource.urn(project=stack.fleet, stack=stack.cluster)
            live[urn] = scene.live[resource.ref.key]
    left["dropped"] += [
        str(ref_of(body))
        for key, body in scene.live.items()
        if key not in scene.resources and scene.whose(body).owner is Owner.OURS
    ]
    outputs: JsonObject = {"fleetmgr": {"fleet": stack.fleet, "cluster": stack.cluster}}
    exported = Exported(pulumi=pulumi, at=at, manager=entry.manager, way=way, outputs=outputs)
    state = deployment(goals(complete, way), live, exported)
    return StateExport(
        cluster=stack.cluster,
        document=state.document,
        objects=state.objects,
        **{name: tuple(sorted(refs)) for name, refs in left.items()},
    )


def _left_out(scene: Scene, key: ObjectKey, desired: JsonObject) -> str:
    live = scene.live.get(key)
    if live is None:
        return "absent"
    if scene.whose(live).owner is not Owner.OURS:
        return "foreign"
    return "secrets" if is_secret(desired) else ""
