"""Since when an object has drifted: looked up for a drift that was seen before, written down when somebody asks.

A look at the clusters writes nothing. ``fleet drift --remember`` does, so that a job that looks every few minutes
gives drift a beginning, and the next apply knows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fleetmgr.engine.inventory import key_text
from fleetmgr.engine.ownership import last_writer
from fleetmgr.model.change import Change, Writer
from fleetmgr.operations.embedded.rewriting import rewrite
from fleetmgr.operations.embedded.scene import Scene


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
    rewrite(
        scene,
        app,
        lambda current: replace(current, drifted={key: current.drifted.get(key, now) for key in keys}),
    )
