"""``clusters[].access`` of fleet.yaml as the adapters take it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleetmgr.adapters.kube.access import AccessSettings, Impersonation

if TYPE_CHECKING:
    from fleetmgr.spec import Cluster, LoadedFleet
    from fleetmgr.spec.fleet import Impersonate


def access_settings(loaded: LoadedFleet, cluster: Cluster) -> AccessSettings:
    """The way in to ``cluster``."""
    path = loaded.kubeconfig(cluster, home=Path.home())
    return AccessSettings(
        kubeconfig=str(path) if path else None,
        context=cluster.access.context,
        in_cluster=cluster.access.in_cluster,
        impersonation=_impersonation(cluster.access.impersonate),
    )


def _impersonation(wanted: Impersonate | None) -> Impersonation | None:
    if wanted is None:
        return None
    extra = tuple((key, value) for key, values in wanted.extra.items() for value in values)
    return Impersonation(user=wanted.user, uid=wanted.uid or "", groups=wanted.groups, extra=extra)
