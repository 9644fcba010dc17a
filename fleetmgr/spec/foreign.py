"""Files that are called fleet.yaml, or given as one, and belong to another product."""

from __future__ import annotations

from fleetmgr.errors import InvalidInput
from fleetmgr.spec.plain import API_VERSION, Json, is_map
from fleetmgr.spec.yaml_tree import Place

CODE = "FLT-1006"
_RANCHER_KEYS = frozenset(
    {"defaultNamespace", "namespace", "helm", "kustomize", "yaml", "diff", "targetCustomizations", "targets"}
    | {"overrideTargets", "keepResources", "serviceAccount", "forceSyncGeneration", "rolloutStrategy"}
    | {"correctDrift", "ignore", "deleteNamespace", "namespaceLabels", "namespaceAnnotations", "dependsOn"}
)
_PRODUCTS = {"argoproj.io": "Argo CD", "fluxcd.io": "Flux", "cattle.io": "Rancher Fleet"}
_START = "write our file with `fleet init`, or name it with --file"


def refuse_foreign(root: Place, data: Json) -> None:
    """Raise InvalidInput (FLT-1006) with one clear problem unless ``data`` says it is our Fleet."""
    if not is_map(data):
        raise _refusal(
            root, "this file holds no map", f"it starts with apiVersion: {API_VERSION}, kind: Fleet"
        )
    api_version, kind = data.get("apiVersion"), data.get("kind")
    if api_version is None and kind is None:
        _refuse_rancher(root, data)
        return
    if not (isinstance(api_version, str) and isinstance(kind, str)):
        return
    group, _, version = api_version.rpartition("/")
    if group != "fleetmgr.dev":
        product = next((p for suffix, p in _PRODUCTS.items() if group.endswith(suffix)), None)
        owner = f" of {product}" if product else ""
        message = f"this is a {kind} ({api_version}){owner}, not a Fleet of fleetmgr"
        hint = f"apiVersion: {API_VERSION} and kind: Fleet are required; {_START}"
        raise _refusal(root.key("apiVersion"), message, hint)
    if api_version != API_VERSION:
        message = f"this file is written for {group}/{version}; this version of fleetmgr reads {API_VERSION}"
        raise _refusal(root.key("apiVersion"), message, f"write apiVersion: {API_VERSION}")


def _refuse_rancher(root: Place, data: dict[str, Json]) -> None:
    keys = [key for key in data if key in _RANCHER_KEYS]
    if keys and not {"environments", "clusters", "apps"} & data.keys():
        shown = ", ".join(f"`{key}`" for key in keys[:4])
        message = f"this is a fleet.yaml of Rancher Fleet ({shown}), another product, not of fleetmgr"
        raise _refusal(
            root.key(keys[0]), message, f"ours has apiVersion: {API_VERSION} and kind: Fleet; {_START}"
        )


def _refusal(place: Place, message: str, hint: str) -> InvalidInput:
    return InvalidInput((place.problem(message, code=CODE, hint=hint),))
