"""Two tools that fight over a field: each apply heals it, and the other tool writes it again.

The record of an app remembers, per object, whose write the last healing undid, how often in a row, and when.
A drift by the same field manager again is called flapping: healing once more will not end it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fleetmgr.engine.inventory import key_text
from fleetmgr.engine.ownership import last_writer
from fleetmgr.engine.record import Fight
from fleetmgr.model.change import Change, FieldDiff
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectKey
from fleetmgr.operations.embedded.scene import Scene


def flapping(
    scene: Scene, app: str, key: ObjectKey, live: JsonObject, diff: tuple[FieldDiff, ...]
) -> str | None:
    """What to say of a drift that the same manager has made before; None for the first time."""
    record = scene.record(app)
    fight = record.fights.get(key_text(key)) if record else None
    writer = last_writer(live, diff, scene.entry.manager)
    if fight is None or writer is None or writer.manager != fight.manager:
        return None
    times = "once" if fight.times == 1 else f"{fight.times} times"
    return (
        f"flapping: {writer.manager} keeps writing this; healed {times} before, last at {fight.at}. "
        "Stop that writer, or take the field out of Git"
    )


def fights_after(scene: Scene, app: str, healed: Iterable[Change], at: str) -> dict[str, Fight]:
    """What to remember after an apply that healed these drifts at ``at`` (RFC 3339). A fight is forgotten when
    somebody else's write is healed, and with its object."""
    record = scene.record(app)
    known: Mapping[str, Fight] = record.fights if record else {}
    desired = {key_text(key) for key, r in scene.resources.items() if r.app == app}
    fights = {text: fight for text, fight in known.items() if text in desired}
    for change in healed:
        live = scene.live.get(change.ref.key)
        writer = last_writer(live, change.diff, scene.entry.manager) if live is not None else None
        if writer is None:
            continue
        text = key_text(change.ref.key)
        before = known.get(text)
        again = before.times if before is not None and before.manager == writer.manager else 0
        fights[text] = Fight(manager=writer.manager, times=again + 1, at=at)
    return fights
