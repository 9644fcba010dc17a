"""Rendered objects as YAML for ``fleet render``; values of Secrets only when they were asked for."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject, is_object, object_at
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.upkeep import LAST_APPLIED
from fleetmgr.reporting.encode import to_yaml
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.redaction import HIDDEN, is_secret


def manifest_text(ref: ObjectRef, body: JsonObject, *, show_secrets: bool) -> str:
    """One object as a YAML document."""
    return to_yaml(body if show_secrets or not is_secret(ref) else _masked(body))


def titled(cluster: str, app: str, text: str) -> str:
    """A document of a stream, with what it belongs to."""
    return f"---\n# cluster: {visible(cluster)}, app: {visible(app)}\n{text}"


def _masked(body: JsonObject) -> JsonObject:
    """Keys stay, values go, and the annotation that holds the whole object again."""
    masked = {key: value for key, value in body.items() if key not in ("data", "stringData")}
    for part in ("data", "stringData"):
        values = body.get(part)
        if is_object(values):
            masked[part] = dict.fromkeys(values, HIDDEN)
    metadata = dict(object_at(body, "metadata"))
    annotations = object_at(body, "metadata", "annotations")
    metadata["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    return masked | {"metadata": metadata}
