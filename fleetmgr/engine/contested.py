"""Desired fields that another field manager holds with another value, and what is left to whom."""

from __future__ import annotations

from collections.abc import Iterator

from fleetmgr.engine.adoption import union
from fleetmgr.engine.compare import differing
from fleetmgr.engine.fieldset import Entry, descend, value_at
from fleetmgr.engine.holding import Held
from fleetmgr.model.change import FieldDiff, LeftField
from fleetmgr.model.jsontypes import JsonObject, is_array, is_object


def contested(desired: JsonObject, live: JsonObject, held: Held) -> tuple[LeftField, ...]:
    """Each such field once, with the manager that wrote it last; ``path`` is that of what the manager holds, which is
    above the difference where a list or map is held as a whole.

    Compared in-process: what the server alone knows to be equal counts as different here.
    """
    fields = union(held.ours or {}, held.theirs or {})
    found: dict[str, LeftField] = {}
    for diff in differing(desired, live, fields):
        for path, entry in _holders(held, diff):
            known = found.get(path)
            if known is None or known.since < entry.time:
                found[path] = LeftField(
                    field=FieldDiff(path=path, old=value_at(live, path), new=value_at(desired, path)),
                    manager=entry.manager,
                    since=entry.time,
                )
    return tuple(found.values())


def _holders(held: Held, diff: FieldDiff) -> Iterator[tuple[str, Entry]]:
    scalar = not is_object(diff.old) and not is_array(diff.old)
    for entry in held.others:
        path = _held_at(entry.fields, diff.path, scalar=scalar)
        if path is not None:
            yield path, entry


def _held_at(fields: JsonObject, path: str, *, scalar: bool) -> str | None:
    """The pointer at which ``fields`` holds ``path`` as a whole, itself or something above it."""
    node, at = fields, ""
    for segment in path.strip("/").split("/"):
        below = descend(node, segment)
        if below is None:
            return None
        at = f"{at}/{segment}"
        if not below:
            return at
        node = below
    return at if scalar else None
