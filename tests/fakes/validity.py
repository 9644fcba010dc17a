"""The few rules of the API server that the fake cluster keeps: what it refuses and what it fills in."""

from __future__ import annotations

from fleetmgr.model.jsontypes import Json, JsonObject, array_at, child, is_array, is_object, object_at
from fleetmgr.ports.cluster import ApiResource
from tests.fakes.fieldsets import Path, is_custom, key_of, list_keys

_IMMUTABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "StatefulSet": (("spec", "selector"), ("spec", "serviceName"), ("spec", "volumeClaimTemplates")),
    "Job": (("spec", "template"), ("spec", "selector")),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
}


def objection(resource: ApiResource, body: JsonObject, live: JsonObject | None) -> str:
    """Why the API server would refuse ``body``; "" when it would not."""
    if object_at(body, "metadata").get("generateName"):
        return "metadata.generateName: server-side apply needs a name"
    if not is_custom(body):
        twice = _duplicate(body, ())
        if twice:
            return f"failed to create typed patch object: {twice}"
    for path in _IMMUTABLE.get(resource.kind, ()) if live is not None else ():
        wanted = child(body, *path)
        if wanted is not None and wanted != child(live or {}, *path):
            return f"{'.'.join(path)}: Invalid value: field is immutable"
    return ""


def _duplicate(value: Json, path: Path) -> str:
    if is_object(value):
        return next(
            filter(None, (_duplicate(inner, (*path, f"f:{key}")) for key, inner in value.items())), ""
        )
    if not is_array(value) or not value or not path:
        return ""
    keys = list_keys(path, value[0], custom=False)
    if keys:
        seen = [key_of(item, keys) for item in value]
        if len(seen) != len(set(seen)):
            return f"duplicate entries for key [{','.join(keys)}]"
    return next(filter(None, (_duplicate(item, path) for item in value if is_object(item))), "")


def defaulted(body: JsonObject) -> JsonObject:
    """``body`` with a few defaults, in place: those that plans meet most."""
    kind = body.get("kind")
    if kind in {"Deployment", "StatefulSet"} and is_object(body.get("spec")):
        body["spec"].setdefault("replicas", 1)
    if kind == "Service" and is_object(body.get("spec")):
        body["spec"].setdefault("type", "ClusterIP")
        for port in array_at(body, "spec", "ports"):
            port.setdefault("protocol", "TCP")
    if kind == "Secret":
        body.setdefault("type", "Opaque")
    for container in array_at(body, "spec", "template", "spec", "containers"):
        for port in array_at(container, "ports"):
            port.setdefault("protocol", "TCP")
    return body
