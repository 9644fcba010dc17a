"""What the API server and kubectl keep in an object for themselves: never a change, never shown."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject, is_object

MOVING_METADATA = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)
"""metadata that moves by itself."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Holds the whole object again, values of Secrets included."""


def visible(body: JsonObject) -> JsonObject:
    """An object without status, without metadata that moves by itself, without kubectl's copy of it."""
    shown = {k: v for k, v in body.items() if k != "status"}
    metadata = shown.get("metadata")
    if is_object(metadata):
        kept = {k: v for k, v in metadata.items() if k not in MOVING_METADATA}
        annotations = kept.get("annotations")
        if is_object(annotations) and LAST_APPLIED in annotations:
            kept["annotations"] = {k: v for k, v in annotations.items() if k != LAST_APPLIED}
        shown["metadata"] = kept
    return shown
