"""What of an object is worth comparing: not what the server counts, not our bookkeeping, no Secret value."""

from __future__ import annotations

from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL
from fleetmgr.model.change import Change
from fleetmgr.model.jsontypes import JsonObject, is_object, object_at
from fleetmgr.model.resource import PULUMI_ANNOTATIONS
from fleetmgr.model.upkeep import LAST_APPLIED, MOVING_METADATA
from fleetmgr.reporting.redaction import hidden_data, is_secret

_SHOWN_OF_SECRETS = frozenset({"apiVersion", "kind", "metadata", "type", "immutable"})
_BOOKKEEPING = {
    "labels": (PART_OF_LABEL, FLEET_LABEL),
    "annotations": (LAST_APPLIED, *PULUMI_ANNOTATIONS),
}


def sides(change: Change) -> tuple[JsonObject | None, JsonObject | None]:
    """The object before and after. Our own labels and annotations are left out where they do not change:
    they are on every object, and one of them differs from cluster to cluster."""
    live, result = change.live, change.result
    before, after = _cleaned(live, other=result), _cleaned(result, other=live)
    if is_secret(change.ref):
        old, new = hidden_data(live, result)
        before, after = _with_data(before, old), _with_data(after, new)
    return before, after


def _cleaned(body: JsonObject | None, *, other: JsonObject | None) -> JsonObject | None:
    if body is None:
        return None
    kept: JsonObject = {key: value for key, value in body.items() if key != "status"}
    if not is_object(body.get("metadata")):
        return kept
    metadata: JsonObject = {k: v for k, v in object_at(body, "metadata").items() if k not in MOVING_METADATA}
    for part, keys in _BOOKKEEPING.items():
        values = object_at(body, "metadata", part)
        theirs = object_at(other, "metadata", part) if other is not None else values
        shown = {
            key: value
            for key, value in values.items()
            if key != LAST_APPLIED and not (key in keys and theirs.get(key) == value)
        }
        metadata.pop(part, None)
        if shown:
            metadata[part] = shown
    return kept | {"metadata": metadata}


def _with_data(body: JsonObject | None, data: JsonObject) -> JsonObject | None:
    if body is None:
        return None
    shown = {key: value for key, value in body.items() if key in _SHOWN_OF_SECRETS}
    return shown | ({"data": data} if data else {})
