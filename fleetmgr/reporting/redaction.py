"""Values of Secrets never leave: the last line of defence, whatever the engine handed over.

The rule is an allow list: of a Secret only its type, its immutability and its metadata without
``last-applied-configuration`` may be shown (Argo CD leaked through that annotation: CVE-2023-40029).
"""

from __future__ import annotations

from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import JsonObject, is_object
from fleetmgr.model.objects import ObjectRef

HIDDEN = "(sensitive)"
HIDDEN_CHANGED = "(sensitive, changed)"
_SHOWN_PATHS = ("/type", "/immutable", "/apiVersion", "/kind")
_SHOWN_PREFIXES = (
    "/metadata/labels",
    "/metadata/annotations/",
    "/metadata/name",
    "/metadata/ownerReferences",
    "/metadata/finalizers",
)


def is_secret(ref: ObjectRef) -> bool:
    """Whether ``ref`` is a core Secret."""
    return ref.group == "" and ref.kind == "Secret"


def hides(ref: ObjectRef, diff: FieldDiff) -> bool:
    """Whether the values of ``diff`` must not be shown."""
    return diff.sensitive or hides_path(ref, diff.path)


def hides_path(ref: ObjectRef, path: str) -> bool:
    """Whether what is at ``path`` of an object must not be shown."""
    if "last-applied-configuration" in path:
        return True
    if not is_secret(ref):
        return False
    return not (path in _SHOWN_PATHS or path.startswith(_SHOWN_PREFIXES))


def hidden_data(live: JsonObject | None, result: JsonObject | None) -> tuple[JsonObject, JsonObject]:
    """What stands for the ``data`` of a Secret before and after: keys are shown, changes are marked."""
    before, after = _values(live), _values(result)
    old: JsonObject = dict.fromkeys(sorted(before), HIDDEN)
    new: JsonObject = {
        key: HIDDEN if key not in before or before[key] == after[key] else HIDDEN_CHANGED
        for key in sorted(after)
    }
    return old, new


def _values(body: JsonObject | None) -> JsonObject:
    """``data`` and ``stringData`` in one map: only whether a key's value differs is used."""
    merged: JsonObject = {}
    for part in ("data", "stringData"):
        values = (body or {}).get(part)
        if is_object(values):
            merged.update(values)
    return merged
