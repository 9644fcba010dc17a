"""What of a server's answer is the server's own doing: fields that Git neither names nor named before.

Which fields are ours is told by our fieldset, in the live object and in the answer: it knows atomic lists and maps,
where a difference deep inside is a difference of ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fleetmgr.engine.fieldset import apply_fields, holds, own_fields
from fleetmgr.model.change import FieldDiff, Noise
from fleetmgr.model.jsontypes import JsonObject, object_at


def with_resets(
    diff: Sequence[FieldDiff], live: JsonObject, answer: JsonObject, manager: str
) -> tuple[FieldDiff, ...]:
    """``diff`` between ``live`` and ``answer``, with the mark at fields that were ours, that Git does not name any
    more, and that the server gives a value of its own."""
    before, after = own_fields(live, manager), apply_fields(answer, manager)

    def is_reset(one: FieldDiff) -> bool:
        gone = any(holds(fields, one.path) for fields in before) and not holds(after, one.path)
        return gone and one.old is not None and one.new is not None

    return tuple(replace(one, reset=True) if is_reset(one) else one for one in diff)


def noise_of(diff: Sequence[FieldDiff], live: JsonObject, answer: JsonObject, manager: str) -> Noise | None:
    """ADMISSION where no field of ``diff`` is or was ours; None where any is, or where nobody can tell."""
    after = apply_fields(answer, manager)
    if not diff or not after:
        return None
    fieldsets = (after, *own_fields(live, manager))
    ours = any(holds(fields, one.path) for one in diff for fields in fieldsets)
    return None if ours else Noise.ADMISSION


def quiet_noise(compared: Sequence[FieldDiff], live: JsonObject, answer: JsonObject) -> Noise | None:
    """What makes an object look different though an apply changes nothing; ``compared`` is what differs from Git."""
    old, new = (object_at(body, "metadata").get("generation") for body in (live, answer))
    if isinstance(old, int) and isinstance(new, int) and new > old:
        return Noise.GENERATION
    return Noise.REWRITTEN if compared else None
