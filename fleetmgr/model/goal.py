"""One registration with the Pulumi engine as data: what a ``RegisterResourceRequest`` says."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.veiled import Veiled


class Goal(Veiled, frozen=True, kw_only=True):
    """``provider`` is the provider's URN, ``dependencies`` and ``aliases`` are URNs; ``timeout`` in seconds."""

    VEILED = frozenset({"inputs"})

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: JsonObject
    provider: str = ""
    version: str = ""
    dependencies: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    deleted_with: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    ignore_changes: tuple[str, ...] = ()
    timeout: float | None = None


def provider_settings(*, cluster: str, context: str | None, kubeconfig: str | None) -> dict[str, str]:
    """Inputs of the Kubernetes provider of a cluster entry: Pulumi sends everything but strings as JSON text.

    Both engines agree because of them: upsert takes over what the embedded engine has made, force heals fields that
    somebody else has set, mutable ConfigMaps and Secrets are updated instead of replaced, and with an identifier a new
    server address or certificate does not replace every object.
    """
    settings = {
        "clusterIdentifier": cluster,
        "enableConfigMapMutable": "true",
        "enablePatchForce": "true",
        "enableSecretMutable": "true",
        "enableServerSideApply": "true",
        "upsertExistingObjects": "true",
    }
    if context is not None:
        settings["context"] = context
    if kubeconfig is not None:
        settings["kubeconfig"] = kubeconfig
    return settings
