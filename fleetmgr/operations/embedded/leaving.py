"""A namespace that is being deleted: nothing can be created in it, and its own conditions say what holds it."""

from __future__ import annotations

from fleetmgr.model.jsontypes import array_at, is_object, object_at
from fleetmgr.operations.embedded.entry import NAMESPACES
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster_errors import AccessDenied

TERMINATING = "NamespaceTerminating"
"""Reason of an ApiRejected: the namespace of the object is being deleted."""
_PREFIX = "Namespace"


def why_leaving(scene: Scene, namespace: str) -> str:
    """That a namespace is being deleted, and what holds it as far as the cluster tells. Raises ClusterError."""
    told = f"namespace {namespace} is being deleted"
    try:
        live = scene.client.get(NAMESPACES, namespace="", name=namespace) or {}
    except AccessDenied:
        return told
    held = [
        f"{c.get('type')}: {c.get('message')}"
        for c in array_at(live, "status", "conditions")
        if is_object(c) and c.get("status") == "True" and str(c.get("type")).startswith(_PREFIX)
    ]
    finalizers = ", ".join(map(str, array_at(live, "metadata", "finalizers")))
    if finalizers:
        held.append(f"finalizers of the namespace: {finalizers}")
    since = object_at(live, "metadata").get("deletionTimestamp")
    told = f"{told} since {since}" if since else told
    return f"{told} ({'; '.join(held)})" if held else told
