"""An object under another fleet's name: the labels and annotations that say whose it is, and managedFields.

Field managers are per fleet, so a fleet's new name is another manager to the API server: what the old one holds
would stay for ever. So its entries become one Apply entry of the new name.
"""

from __future__ import annotations

from collections.abc import Mapping

from fleetmgr.engine.adoption import raw_entries, united, written_by
from fleetmgr.engine.fieldset import APPLY, escape
from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL, app_id
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.resource import PATCH_MANAGER_ANNOTATION, field_manager


def relabelled(
    live: JsonObject, before: str, after: str, cluster: str, ids: Mapping[str, str]
) -> list[JsonObject]:
    """The JSON patch (RFC 6902) that makes ``before`` ``after`` in labels and annotations; [] when it is so.

    ``ids`` maps part-of ids of the old fleet on this entry to app names.
    """
    labels = object_at(live, "metadata", "labels")
    annotations = object_at(live, "metadata", "annotations")
    changes: list[tuple[str, str, str]] = []
    app = ids.get(str(labels.get(PART_OF_LABEL, "")))
    if app is not None:
        changes.append(("labels", PART_OF_LABEL, app_id(after, cluster, app)))
    changes += [
        (part, FLEET_LABEL, after)
        for part, values in (("labels", labels), ("annotations", annotations))
        if values.get(FLEET_LABEL) == before
    ]
    if annotations.get(PATCH_MANAGER_ANNOTATION) == field_manager(before):
        changes.append(("annotations", PATCH_MANAGER_ANNOTATION, field_manager(after)))
    return [
        {"op": "replace", "path": f"/metadata/{part}/{escape(name)}", "value": value}
        for part, name, value in changes
    ]


def renamed_entries(live: JsonObject, before: str, after: str) -> list[JsonObject] | None:
    """``managedFields`` with the entries of the managers ``before`` and ``after`` as one Apply entry of ``after``;
    None when ``before`` has none."""
    ours, rest = written_by(raw_entries(live), lambda name: name in (before, after))
    if not any(raw.get("manager") == before for raw in ours):
        return None
    fields = united(object_at(raw, "fieldsV1") for raw in ours)
    base = next((raw for raw in ours if raw.get("operation") == APPLY), ours[0])
    return [{**base, "manager": after, "operation": APPLY, "fieldsV1": fields}, *rest]
