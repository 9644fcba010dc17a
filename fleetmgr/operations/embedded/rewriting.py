"""Changing one thing in an app's record beside what an apply concludes: without a lease, for exactly the version of
it that was read, so that an apply at the same moment wins."""

from __future__ import annotations

from collections.abc import Callable

from fleetmgr.engine.inventory import read_parent
from fleetmgr.engine.record import Record, record_data
from fleetmgr.model.applyset import SYSTEM_NAMESPACE, parent_name
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.operations.embedded.entry import CONFIG_MAPS
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster_errors import ObjectConflict

_OURS = ("fleetmgr.dev/", "applyset.kubernetes.io/")
_TRIES = 3


def rewrite(scene: Scene, app: str, change: Callable[[Record], Record]) -> None:
    """Write the record of an app with ``change`` made to it; nothing where there is none, or where somebody has applied
    since ``scene`` was read: what was seen is then no longer so. Raises ClusterError."""
    record = scene.record(app)
    if record is None:
        return
    for _ in range(_TRIES):
        live = scene.client.get(
            CONFIG_MAPS,
            namespace=SYSTEM_NAMESPACE,
            name=parent_name(scene.entry.fleet, scene.entry.cluster, app),
        )
        current = read_parent(live).record if live is not None else None
        if live is None or current is None or current.results != record.results:
            return
        try:
            body = _fenced(live) | record_data(change(current))
            scene.client.apply(CONFIG_MAPS, body, manager=scene.entry.manager, force=True, dry_run=False)
        except ObjectConflict:
            continue
        return


def _fenced(live: JsonObject) -> JsonObject:
    """The parent with all that we hold of it, for exactly this version of it."""
    metadata = object_at(live, "metadata")
    kept: JsonObject = {part: metadata[part] for part in ("name", "namespace", "uid", "resourceVersion")}
    for part in ("labels", "annotations"):
        kept[part] = {k: v for k, v in object_at(metadata, part).items() if k.startswith(_OURS)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": kept}
