"""What server-side apply and an update make of an object and of its managedFields; no storage here."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from fleetmgr.model.jsontypes import JsonObject, array_at, object_at
from fleetmgr.ports.cluster_errors import FieldOwner
from tests.fakes.fieldsets import (
    Fields,
    fields_of,
    from_v1,
    is_item,
    merged,
    shown,
    to_v1,
    value_at,
    without,
)


@dataclass(slots=True, kw_only=True)
class Entry:
    """One manager's managedFields entry."""

    manager: str
    operation: str
    api_version: str
    time: str
    fields: Fields = field(default_factory=frozenset[tuple[str, ...]])
    subresource: str = ""


class Conflicts(Exception):
    """Other managers hold fields that the apply wants to change."""

    def __init__(self, owners: tuple[FieldOwner, ...]) -> None:
        super().__init__(str(owners))
        self.owners = owners


def entries_of(body: JsonObject) -> list[Entry]:
    """managedFields, parsed."""
    return [
        Entry(
            manager=str(item.get("manager")),
            operation=str(item.get("operation")),
            api_version=str(item.get("apiVersion")),
            time=str(item.get("time", "")),
            fields=from_v1(item.get("fieldsV1", {})),
            subresource=str(item.get("subresource", "")),
        )
        for item in array_at(body, "metadata", "managedFields")
    ]


def store_entries(body: JsonObject, entries: list[Entry]) -> None:
    """Write managedFields; an entry without fields is dropped."""
    body["metadata"]["managedFields"] = [
        {
            "manager": entry.manager,
            "operation": entry.operation,
            "apiVersion": entry.api_version,
            "time": entry.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_v1(entry.fields),
            **({"subresource": entry.subresource} if entry.subresource else {}),
        }
        for entry in entries
        if entry.fields
    ]


def apply(live: JsonObject | None, body: JsonObject, *, manager: str, force: bool, time: str) -> JsonObject:
    """The object after a server-side apply. Raises Conflicts."""
    applied = copy.deepcopy(body)
    object_at(applied, "metadata").pop("managedFields", None)
    claimed = fields_of(applied)
    before: JsonObject = copy.deepcopy(live) if live is not None else {"metadata": {}}
    entries = entries_of(before)
    mine = next((e for e in entries if e.manager == manager and e.operation == "Apply"), None)
    others = [entry for entry in entries if entry is not mine]
    contested = _contested(before, applied, claimed, others)
    if contested and not force:
        raise Conflicts(
            tuple(FieldOwner(field=shown(path), manager=entry.manager) for path, entry in contested)
        )
    for path, entry in contested:
        entry.fields -= {path}
    result = merged(before, applied)
    if mine is not None:
        kept = claimed.union(*(entry.fields for entry in others))
        without(result, mine.fields - claimed, kept)
    keep_identity(result, live)
    unchanged = mine is not None and mine.fields == claimed
    entry = Entry(
        manager=manager,
        operation="Apply",
        api_version=str(body["apiVersion"]),
        time=mine.time if mine is not None and unchanged else time,
        fields=claimed,
    )
    store_entries(result, [entry, *others])
    return result


def keep_identity(result: JsonObject, live: JsonObject | None) -> None:
    """What the server alone sets stays as it was."""
    metadata = result["metadata"]
    for key in ("uid", "resourceVersion", "generation", "creationTimestamp"):
        metadata.pop(key, None)
        if live is not None and key in live["metadata"]:
            metadata[key] = live["metadata"][key]


def _contested(
    live: JsonObject, applied: JsonObject, claimed: Fields, others: list[Entry]
) -> list[tuple[tuple[str, ...], Entry]]:
    found: list[tuple[tuple[str, ...], Entry]] = []
    for path in sorted(claimed):
        if is_item(path) or value_at(live, path) == value_at(applied, path):
            continue
        found += [(path, entry) for entry in others if path in entry.fields]
    return found


def update(
    live: JsonObject | None, after: JsonObject, *, manager: str, time: str, subresource: str = ""
) -> JsonObject:
    """The object after a PUT, POST or PATCH by ``manager``: what it changed is its own from now on."""
    result = copy.deepcopy(after)
    result.setdefault("metadata", {})
    before: JsonObject = live or {"metadata": {}}
    keep_identity(result, live)
    now, then = fields_of(result), fields_of(before)
    changed = frozenset(path for path in now if value_at(before, path) != value_at(result, path))
    entries = entries_of(before)
    for entry in entries:
        if entry.manager != manager or entry.operation != "Update" or entry.subresource != subresource:
            entry.fields -= changed | (then - now)
    mine = next(
        (e for e in entries if (e.manager, e.operation, e.subresource) == (manager, "Update", subresource)),
        None,
    )
    if mine is None:
        mine = Entry(
            manager=manager,
            operation="Update",
            api_version=str(result.get("apiVersion")),
            time=time,
            subresource=subresource,
        )
        entries.append(mine)
    mine.fields = (mine.fields | changed) & now
    if changed:
        mine.time = time
    store_entries(result, entries)
    return result
