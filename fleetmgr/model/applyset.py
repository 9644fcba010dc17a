"""Names and labels of the inventory: an ApplySet (KEP-3659) per app and cluster entry.

The parent is a ConfigMap ``<fleet>.<cluster>.<app>`` in ``fleetmgr-system``; its id hashes that name as the
KEP says, so it also hashes fleet, entry and app.
"""

from __future__ import annotations

import base64
import hashlib

SYSTEM_NAMESPACE = "fleetmgr-system"
PART_OF_LABEL = "applyset.kubernetes.io/part-of"
ID_LABEL = "applyset.kubernetes.io/id"
TOOLING_ANNOTATION = "applyset.kubernetes.io/tooling"
CONTAINS_ANNOTATION = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES_ANNOTATION = "applyset.kubernetes.io/additional-namespaces"
FENCE_ANNOTATION = "fleetmgr.dev/fence"
"""On the parents: the token of the lease under which they were written last."""
FLEET_LABEL = "fleetmgr.dev/fleet"
CLUSTER_LABEL = "fleetmgr.dev/cluster"
APP_LABEL = "fleetmgr.dev/app"
RECORD_LABEL = "fleetmgr.dev/record"
"""On what we keep: ``applyset`` (a parent), ``marker`` (which entry this cluster is) or ``key`` (a Secret)."""


def parent_name(fleet: str, cluster: str, app: str) -> str:
    """Name of the parent ConfigMap."""
    return f"{fleet}.{cluster}.{app}"


def marker_name(fleet: str, cluster: str) -> str:
    """Name of the marker ConfigMap of an entry (three dots, so that no app can be named like it)."""
    return f"{fleet}.{cluster}.fleetmgr.marker"


def lease_name(fleet: str, cluster: str) -> str:
    """Name of the Lease that says who applies to an entry right now."""
    return f"{fleet}.{cluster}"


def key_name(fleet: str, cluster: str) -> str:
    """Name of the Secret with the key of an entry."""
    return f"{fleet}.{cluster}.fleetmgr.key"


def applyset_id(parent: str, namespace: str = SYSTEM_NAMESPACE) -> str:
    """KEP-3659: ``applyset-<base64url(sha256(name.namespace.kind.group))>-v1``; 55 characters."""
    digest = hashlib.sha256(f"{parent}.{namespace}.ConfigMap.".encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def app_id(fleet: str, cluster: str, app: str) -> str:
    """The part-of label of an app's objects on a cluster entry."""
    return applyset_id(parent_name(fleet, cluster, app))
