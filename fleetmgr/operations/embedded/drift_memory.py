"""Since when an object has drifted: looked up for a drift that was seen before, written down when somebody asks.

A look at the clusters writes nothing. ``fleet drift --remember`` does, so that a job that looks every few minutes
gives drift a beginning, and the next apply knows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fleetmgr.engine.inventory import key_text, read_parent
from fleetmgr.engine.ownership import last_writer
from fleetmgr.engine.record import record_data
from fleetmgr.model.applyset import SYSTEM_NAMESPACE, parent_name
from fleetmgr.model.change import Change, Writer
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.operations.embedded.entry import CONFIG_MAPS
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster_errors import ObjectConflict

_OURS = ("fleetmgr.dev/", "applyset.kubernetes.io/")
_TRIES = 3


def begun(scene: Scene, change: Change) -> Change:
    """A drift with what is known of its beginning: who wrote it, and since when it is so. The record of the app knows
    when it was first seen, if somebody had it remembered; else the server knows when it was written last."""
    record = scene.record(change.app)
    seen = record.drifted.get(key_text(change.ref.key)) if record else None
    live = scene.live.get(change.ref.key)
    last = last_writer(live, change.diff, scene.entry.manager) if live is not None else None
    if last is None:
        return replace(change, drift_since=seen)
    by = Writer(manager=last.manager, through=last.subresource, at=last.time)
    return replace(change, drift_since=seen or last.time or None, drift_by=by)


def remember_drift(scene: Scene, app: str, drifted: Sequence[Change], *, now: str) -> None:
    """Write down which objects of an app have drifted: what is known keeps its time, what is new gets ``now``, what is
    in order again goes. An apply that concludes at the same moment wins. Raises ClusterError."""
    keys = sorted(key_text(change.ref.key) for change in drifted)
    record = scene.record(app)
    if record is None or sorted(record.drifted) == keys:
        return
    for _ in range(_TRIES):
        live = scene.client.get(
            CONFIG_MAPS,
            namespace=SYSTEM_NAMESPACE,
            name=parent_name(scene.entry.fleet, scene.entry.cluster, app),
        )
        current = read_parent(live).record if live is not None else None
        if live is None or current is None or current.results != record.results:
            return  # somebody has applied since: what we saw is no longer so
        after = replace(current, drifted={key: current.drifted.get(key, now) for key in keys})
        try:
            body = _fenced(live) | record_data(after)
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
