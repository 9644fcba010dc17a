"""The key of a cluster entry, in ``fleetmgr-system``: with it, and never without, the value of a Secret goes into a
digest of a saved plan."""

from __future__ import annotations

import base64
import binascii
import os

from fleetmgr.errors import FleetError
from fleetmgr.model.applyset import CLUSTER_LABEL, FLEET_LABEL, RECORD_LABEL, SYSTEM_NAMESPACE, key_name
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.operations.embedded.entry import SECRETS
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster_errors import AccessDenied, ApiRejected, ObjectConflict

_FIELD = "key"
_BYTES = 32


class NoKey(FleetError):
    """There is no key, or it may not be read or made; the message says why."""

    code = "FLT-2051"


def read_key(scene: Scene) -> bytes:
    """The key. Raises NoKey, and ClusterError when the cluster does not answer."""
    try:
        live = scene.client.get(SECRETS, namespace=SYSTEM_NAMESPACE, name=_name(scene))
    except AccessDenied as error:
        raise NoKey(error.message) from error
    key = _decoded(live)
    if key is None:
        raise NoKey(f"{scene.entry.cluster} has no key yet")
    return key


def obtain_key(scene: Scene) -> bytes:
    """The key, made when there is none. On a cluster that no apply has touched yet nothing is made.

    Raises NoKey, and ClusterError when the cluster does not answer.
    """
    try:
        return read_key(scene)
    except NoKey:
        if scene.first_contact:
            raise
    return make_key(scene)


def make_key(scene: Scene) -> bytes:
    """Make the key; when somebody else makes one at this moment, theirs holds.

    Server-side apply has no "create only"; a manager of our own for this one request has: whatever another manager
    has put there is a conflict.
    """
    key = os.urandom(_BYTES)
    body: JsonObject = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": _name(scene),
            "namespace": SYSTEM_NAMESPACE,
            "labels": {
                FLEET_LABEL: scene.entry.fleet,
                CLUSTER_LABEL: scene.entry.cluster,
                RECORD_LABEL: "key",
            },
        },
        "data": {_FIELD: base64.b64encode(key).decode()},
    }
    manager = f"{scene.entry.manager}/{os.urandom(8).hex()}"
    try:
        scene.client.apply(SECRETS, body, manager=manager, force=False, dry_run=False)
    except ObjectConflict:
        return read_key(scene)
    except (AccessDenied, ApiRejected) as error:
        raise NoKey(error.message) from error
    return key


def _name(scene: Scene) -> str:
    return key_name(scene.entry.fleet, scene.entry.cluster)


def _decoded(live: JsonObject | None) -> bytes | None:
    text = object_at(live or {}, "data").get(_FIELD)
    try:
        key = base64.b64decode(str(text), validate=True) if text else b""
    except binascii.Error:
        return None
    return key if len(key) == _BYTES else None
