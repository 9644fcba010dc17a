"""What would go with a Namespace: looked at in a plan that deletes one and again right before the delete, because that
asks nobody."""

from __future__ import annotations

from collections.abc import Collection

from fleetmgr.model.enumeration import listed
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind, ref_of
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ObjectGone

_NAMED = 3
_UNHELD = frozenset({"Event", "Endpoints", "EndpointSlice", "Lease"})
"""Made and remade by controllers, without owner references on some."""
_VIRTUAL = frozenset({"metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"})
_GIVEN = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})
"""Every namespace has these."""


def stranger_in(
    scene: Scene, namespace: str, going: Collection[object], *, leaving: bool = False
) -> str | None:
    """What stays in a namespace once everything in ``going`` (ObjectKeys) is deleted, for people; None when nothing
    does. What cannot be read counts; what is being deleted does too, unless ``leaving``. Raises ClusterError."""
    discovery = scene.client.discover(fresh=True)
    if discovery.incomplete:
        return f"what is in it and cannot be read now (API groups {', '.join(sorted(discovery.incomplete))})"
    desired = sorted(r.ref.short for key, r in scene.resources.items() if key.namespace == namespace)
    if desired:
        return _listed(desired)
    kinds = [k for k in discovery.preferred.values() if k.namespaced and _listable(k)]

    def held(kind: ApiResource) -> list[str]:
        try:
            bodies = scene.client.list(kind, namespace=namespace)
        except ObjectGone:
            return []
        except AccessDenied:
            return [f"{kind.plural} that may not be read"]
        staying = (b for b in bodies if not (leaving and object_at(b, "metadata").get("deletionTimestamp")))
        return [ref_of(b).short for b in staying if ref_of(b).key not in going and _counts(b)]

    return _listed(sorted({name for names in in_parallel(held, kinds) for name in names}))


def _listable(kind: ApiResource) -> bool:
    return kind.kind not in _UNHELD and kind.group not in _VIRTUAL and "list" in (kind.verbs or ("list",))


def _counts(body: JsonObject) -> bool:
    """Whether somebody would miss it: not what its owner brings back, nor what every namespace has."""
    metadata = object_at(body, "metadata")
    key = ref_of(body).key
    if metadata.get("ownerReferences") or (key.kind, key.name) in _GIVEN:
        return False
    token = body.get("type") == "kubernetes.io/service-account-token"
    return not (key.group_kind == GroupKind("", "Secret") and token)


def _listed(names: list[str]) -> str | None:
    return listed(names, limit=_NAMED) if names else None
