"""External Secrets and Sealed Secrets.

argo-cd resource_customizations/external-secrets.io/*/health.lua, resource_customizations/bitnami.com/SealedSecret/
health.lua.
"""

from __future__ import annotations

from fleetmgr.health.conditions import Rules, by_condition, conditions, degraded, healthy, progressing, said
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind

_external = by_condition("Ready", waiting="waits for External Secrets")


def _cluster_wide(live: JsonObject) -> Health:
    """One for many namespaces appends what is new: its last condition holds."""
    last = next(iter(reversed(conditions(live))), None)
    if last is None or last.get("status") != "True":
        return progressing("waits for External Secrets")
    match last.get("type"):
        case "Ready":
            return healthy(said(last))
        case "NotReady" | "PartiallyReady":
            return degraded(said(last))
        case _:
            return progressing("waits for External Secrets")


_KINDS = ("ExternalSecret", "SecretStore", "ClusterSecretStore", "PushSecret")

RULES: Rules = {
    **{GroupKind("external-secrets.io", kind): _external for kind in _KINDS},
    GroupKind("external-secrets.io", "ClusterExternalSecret"): _cluster_wide,
    GroupKind("bitnami.com", "SealedSecret"): by_condition("Synced", waiting="waits to be decrypted"),
}
