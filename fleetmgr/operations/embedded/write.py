"""Single writes, each behind a fresh read: what is sent is fenced to the object that was looked at."""

from __future__ import annotations

from typing import ClassVar

from fleetmgr.engine.keeping import keeps_by_annotation
from fleetmgr.engine.ownership import Owner
from fleetmgr.engine.protection import NAMESPACE, protection
from fleetmgr.errors import ExitCode, FleetError, Where
from fleetmgr.model.change import Change
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.contents import stranger_in
from fleetmgr.operations.embedded.scene import Scene, bare_namespace
from fleetmgr.operations.embedded.sending import apply_as, differing_as_sent, sent_to
from fleetmgr.operations.embedded.simulating import comes_with_api_service
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ObjectConflict

TRIES = 4
"""A status update moves resourceVersion too, so a stale fence is read again; each time whose it is, is too."""

NO_VERSION = "1"
"""A resourceVersion that no object has, etcd's revision before its first write. Server-side apply holds what is there
to it, and makes what is not there all the same."""


class Changed(FleetError):
    """The object is no longer what the plan saw; nothing was written."""

    code: ClassVar[str] = "FLT-2001"
    exit_code: ClassVar[ExitCode] = ExitCode.STALE


def changed(scene: Scene, ref: ObjectRef, what: str) -> Changed:
    """The error for an object that ``what`` happened to since the plan."""
    return Changed(
        f"{ref.short} {what}",
        where=Where(cluster=scene.entry.cluster, object=str(ref)),
        hint="plan again and look at what changed",
    )


class NotServed(FleetError):
    """The kind of an object is (still) not served."""

    code: ClassVar[str] = "FLT-2002"


class NotServedYet(NotServed):
    """Its APIService is available, and the server does not tell of the kind yet."""


def write_resource(scene: Scene, resource: Resource) -> tuple[str, ...]:
    """Create or update one object; returns the server's warnings. Raises ClusterError, Changed, NotServed."""
    served = served_as(scene, resource.ref)
    for attempt in range(TRIES):
        live = None
        if attempt or not _made_unseen(scene, resource, served):
            live = scene.client.get(served, namespace=resource.ref.namespace, name=resource.ref.name)
        _check_unchanged(scene, resource, live)
        sent = sent_to(scene, resource, live)
        body = _fenced_ours(scene, sent, live) if live is not None else made(sent, fenced=not attempt)
        try:
            return apply_as(scene, sent, served, body, live=live is not None, dry_run=False).warnings
        except ObjectConflict as error:
            if (error.owners and live is not None) or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _made_unseen(scene: Scene, resource: Resource, served: ApiResource) -> bool:
    """Whether what the plan found absent is made without another look: its fence tells whether it still is.

    Only kinds of Kubernetes itself: an extension API server with a storage of its own may not know fences.
    """
    own = "." not in served.group or served.group.endswith(".k8s.io")
    return own and resource.ref.key not in scene.live


def ready_to_write(scene: Scene, resource: Resource) -> Resource:
    """What is to be sent now, where somebody else sends it: looked at like a write, without its fence. Raises
    ClusterError, Changed, NotServed, FieldsHeld."""
    served = served_as(scene, resource.ref)
    live = scene.client.get(served, namespace=resource.ref.namespace, name=resource.ref.name)
    _check_unchanged(scene, resource, live)
    if live is not None:
        _check_ours(scene, resource, live)
    return sent_to(scene, resource, live)


def _check_unchanged(scene: Scene, resource: Resource, live: JsonObject | None) -> None:
    """What was shown is what is done: what we desire must still differ from live as it did in the plan.

    An object that is gone by now is created again: nothing of anybody's is lost by that. One that is as desired by
    now (an answer of ours that got lost, a run that we waited for) is what was shown.
    """
    planned = scene.live.get(resource.ref.key)
    if live is None or planned is None:
        return
    still = differing_as_sent(scene, resource, live)
    if still and still != differing_as_sent(scene, resource, planned):
        raise changed(scene, resource.ref, "was changed since the plan")


def _fenced_ours(scene: Scene, resource: Resource, live: JsonObject) -> JsonObject:
    _check_ours(scene, resource, live)
    return fenced(resource, live)


def _check_ours(scene: Scene, resource: Resource, live: JsonObject) -> None:
    whose = scene.whose(live)
    if whose.owner not in (Owner.OURS, Owner.IMPLICIT):
        holder = whose.holder or "without proof that we applied it"
        raise changed(scene, resource.ref, f"appeared since the plan: {holder}")


def made(resource: Resource, *, fenced: bool) -> JsonObject:
    """The desired object, to be made and never applied to one that exists: a conflict without owners then. Not
    ``fenced`` for a server that has refused that, though a look finds nothing."""
    if not fenced:
        return resource.inputs
    metadata = {**object_at(resource.inputs, "metadata"), "resourceVersion": NO_VERSION}
    return {**resource.inputs, "metadata": metadata}


def fenced(resource: Resource, live: JsonObject) -> JsonObject:
    """The desired object, to be applied to exactly ``live`` and nothing else."""
    fence = {k: object_at(live, "metadata")[k] for k in ("uid", "resourceVersion")}
    return {**resource.inputs, "metadata": {**object_at(resource.inputs, "metadata"), **fence}}


def write_namespace(scene: Scene, ref: ObjectRef) -> tuple[str, ...]:
    """Create a bare namespace; one that exists by now is left as it is."""
    served = served_as(scene, ref)
    if scene.client.get(served, namespace="", name=ref.name) is not None:
        return ()
    body = bare_namespace(ref.name, fleet=scene.entry.fleet)
    return scene.client.apply(served, body, manager=scene.entry.manager, force=False, dry_run=False).warnings


def delete_object(scene: Scene, change: Change) -> bool:
    """Delete what the plan saw, if it is still ours, still of this app and still that very object.

    False when it is still there afterwards: finalizers hold it, so the inventory must not forget it.
    """
    ref = change.ref
    uid = deletable(scene, change)
    if uid is None:
        return True
    served = served_as(scene, ref)
    scene.client.delete(served, namespace=ref.namespace, name=ref.name, uid=uid)
    return is_gone(scene, ref)


def is_gone(scene: Scene, ref: ObjectRef) -> bool:
    """Whether an object is not there now. Raises ClusterError."""
    return scene.client.get(served_as(scene, ref), namespace=ref.namespace, name=ref.name) is None


def deletable(scene: Scene, change: Change) -> str | None:
    """The uid of what may be deleted, as a fresh read shows it; None when it is gone. Raises Changed."""
    ref = change.ref
    live = scene.client.get(served_as(scene, ref), namespace=ref.namespace, name=ref.name)
    if live is None:
        return None
    whose = scene.whose(live)
    if whose.owner is not Owner.OURS or whose.app != change.app:
        raise changed(scene, ref, f"is no longer a proven object of app {change.app}: not deleted")
    planned = scene.live.get(ref.key)
    uid = str(object_at(live, "metadata")["uid"])
    if planned is not None and object_at(planned, "metadata").get("uid") != uid:
        raise changed(scene, ref, "was replaced by another object since the plan: not deleted")
    _check_unprotected(scene, ref, live)
    return uid


def _check_unprotected(scene: Scene, ref: ObjectRef, live: JsonObject) -> None:
    """An apply may wait long between its plan and its deletes: what was protected or put in meanwhile stays."""
    found = None
    if not scene.consent.names(ref):
        found = keeps_by_annotation(live) or protection(live)
    if found is None and ref.key.group_kind == NAMESPACE and not scene.consent.names_contents(ref):
        stranger = stranger_in(scene, ref.name, scene.hooks.keys(), leaving=True)
        found = f"{stranger} would go with it" if stranger else None
    if found is not None:
        raise changed(scene, ref, f"is not deleted: {found}")


def served_as(scene: Scene, ref: ObjectRef) -> ApiResource:
    """How the cluster serves a reference; asks again when its CRD may have come since the plan."""
    served = scene.discovery.find(*ref[:3]) or scene.client.discover().find(*ref[:3])
    served = served or scene.client.discover(fresh=True).find(*ref[:3])
    if served is None:
        raise (NotServedYet if comes_with_api_service(scene, ref) else NotServed)(
            f"the cluster does not serve {ref.kind} in {ref.api_version}",
            where=Where(cluster=scene.entry.cluster, object=str(ref)),
            hint="install its CRD, in an app that this one depends on",
        )
    return served
