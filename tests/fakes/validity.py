"""The few rules of the API server that the fake cluster keeps: what it refuses and what it fills in."""

from __future__ import annotations

from fleetmgr.model.jsontypes import Json, JsonObject, array_at, child, is_array, is_object, object_at
from fleetmgr.model.refusal import Cause
from fleetmgr.ports.cluster import ApiResource
from tests.fakes.fieldsets import Path, is_custom, key_of, list_keys

_OWN = "field is immutable"
_STATEFUL = "updates to statefulset spec for fields other than 'replicas', 'template' are forbidden"
_CLAIM = "spec is immutable after creation except resources.requests for bound claims"
_IMMUTABLE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Deployment": (("spec.selector", "spec.selector", _OWN),),
    "DaemonSet": (("spec.selector", "spec.selector", _OWN),),
    "StatefulSet": tuple(
        (f"spec.{f}", "spec", _STATEFUL)
        for f in ("selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy")
    ),
    "Job": tuple((f"spec.{f}", f"spec.{f}", _OWN) for f in ("template", "selector", "completions")),
    "PersistentVolumeClaim": tuple(
        (f"spec.{f}", "spec", _CLAIM) for f in ("storageClassName", "accessModes")
    ),
    "Service": (("spec.clusterIP", "spec.clusterIPs[0]", "may not change once set"),),
    "StorageClass": (("provisioner", "provisioner", "updates to provisioner are forbidden."),),
    "RoleBinding": (("roleRef", "roleRef", "cannot change roleRef"),),
    "ClusterRoleBinding": (("roleRef", "roleRef", "cannot change roleRef"),),
    "CustomResourceDefinition": (("spec.scope", "spec.scope", _OWN), ("spec.group", "spec.group", _OWN)),
}
"""Field, how the server names it, what it says."""


def objection(body: JsonObject) -> str:
    """Why the API server would refuse ``body``, whatever is there; "" when it would not."""
    if object_at(body, "metadata").get("generateName"):
        return "metadata.generateName: server-side apply needs a name"
    if not is_custom(body):
        twice = _duplicate(body, ())
        if twice:
            return f"failed to create typed patch object: {twice}"
    return ""


def causes(resource: ApiResource, after: JsonObject, live: JsonObject | None) -> tuple[Cause, ...]:
    """What is invalid in ``after``, and the immutable fields that it changes, as the API server words them."""
    missing = tuple(
        Cause(field=f"spec.template.spec.containers[{index}].image", detail="Required value")
        for index, container in enumerate(array_at(after, "spec", "template", "spec", "containers"))
        if not container.get("image")
    )
    return missing + (_unchangeable(resource, after, live) if live is not None else ())


def _unchangeable(resource: ApiResource, after: JsonObject, live: JsonObject) -> tuple[Cause, ...]:
    found = [
        Cause(field=named, detail=said)
        for path, named, said in _IMMUTABLE.get(resource.kind, ())
        if child(after, *path.split(".")) != child(live, *path.split("."))
    ]
    if (
        resource.kind in {"ConfigMap", "Secret"}
        and live.get("immutable")
        and after.get("data") != live.get("data")
    ):
        found.append(Cause(field="data", detail="field is immutable when `immutable` is set"))
    return tuple(found)


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
