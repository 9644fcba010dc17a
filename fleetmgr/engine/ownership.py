"""Whose is a live object? A label is a hint, never proof: controllers copy labels to what they make
(the EndpointSlice of our Service carries ours), so only our own Apply entry that holds the label proves it."""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct

from fleetmgr.engine.fieldset import Entry, applied_by, apply_fields, entries, holds
from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL
from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import JsonObject, object_at


class Owner(Enum):
    """The answer."""

    OURS = auto()
    """Of this fleet and entry, proven; ``Ownership.app`` says which app."""
    FOREIGN = auto()
    """Of somebody else, or of nobody: never touched."""
    IMPLICIT = auto()
    """A Namespace that ``createNamespace`` made: may become a Resource of an app, is never pruned."""
    UNPROVEN = auto()
    """Carries our label, without proof."""


class Ownership(Struct, frozen=True, kw_only=True):
    """``app`` is set for OURS and UNPROVEN; ``holder`` is a sentence part for people for FOREIGN."""

    owner: Owner
    app: str | None = None
    holder: str = ""


def ownership(
    live: JsonObject, *, manager: str, ids: dict[str, str], recorded: str | None = None
) -> Ownership:
    """Judge a live object. ``ids`` maps part-of ids of this entry to app names (removed apps included).

    ``recorded`` is the app whose record on the cluster holds the object: with an Apply entry of ours that proves
    it too, when somebody only took our labels off.
    """
    labels = object_at(live, "metadata", "labels")
    part_of = labels.get(PART_OF_LABEL)
    app = ids.get(part_of) if isinstance(part_of, str) else None
    if app is not None:
        held = holds(apply_fields(live, manager), f"/metadata/labels/{PART_OF_LABEL.replace('/', '~1')}")
        return Ownership(owner=Owner.OURS if held else Owner.UNPROVEN, app=app)
    if recorded is not None and not part_of and apply_fields(live, manager):
        return Ownership(owner=Owner.OURS, app=recorded)
    if part_of is None and live.get("kind") == "Namespace" and applied_by(live, manager):
        return Ownership(owner=Owner.IMPLICIT)
    return Ownership(owner=Owner.FOREIGN, holder=_holder(live, labels))


def _holder(live: JsonObject, labels: JsonObject) -> str:
    fleet = labels.get(FLEET_LABEL)
    if fleet:
        return f"fleet {fleet!s} (another cluster entry or fleet)"
    if labels.get(PART_OF_LABEL):
        return f"another ApplySet ({labels[PART_OF_LABEL]!s})"
    annotations = object_at(live, "metadata", "annotations")
    if annotations.get("meta.helm.sh/release-name"):
        return f"the Helm release {annotations['meta.helm.sh/release-name']!s}"
    managers = sorted({e.manager for e in entries(live) if e.manager and not e.subresource})
    return (
        f"not made by this fleet (written by {', '.join(managers)})" if managers else "not made by this fleet"
    )


def last_writer(live: JsonObject, diff: tuple[FieldDiff, ...], manager: str) -> Entry | None:
    """The entry of the other manager that wrote the differing fields last, where the API server knows one."""
    others = [e for e in entries(live) if e.manager != manager and e.subresource in ("", "scale")]
    holding = [e for e in others if any(holds(e.fields, d.path) for d in diff)]
    return max(holding, key=lambda e: e.time, default=None)


def writer_of(live: JsonObject, diff: tuple[FieldDiff, ...], manager: str) -> str | None:
    """Who else wrote the differing fields last: ``kubectl through scale at 2026-11-21T01:00:00Z``."""
    last = last_writer(live, diff, manager)
    if last is None:
        return None
    via = f" through {last.subresource}" if last.subresource else ""
    return f"{last.manager}{via} at {last.time}" if last.time else f"{last.manager}{via}"
