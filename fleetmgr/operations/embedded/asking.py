"""Asking the server what an apply would do, by dry run: only for objects that may differ."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.change import Change, Op
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.resource import Resource
from fleetmgr.model.verify import NOT_ASKED, Verify
from fleetmgr.operations.embedded.leaving import TERMINATING, why_leaving
from fleetmgr.operations.embedded.replacing import refused
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.sending import apply_as
from fleetmgr.operations.embedded.simulating import simulated
from fleetmgr.ports.cluster import ApiResource, Applied
from fleetmgr.ports.cluster_errors import (
    AccessDenied,
    ApiRejected,
    AuthFailed,
    ObjectConflict,
    ObjectGone,
    ObjectInvalid,
    Unreachable,
)

WEBHOOK_FAILED = "WebhookFailed"
"""Reason of an ApiRejected whose admission webhook could not be called: not the object's fault."""
_STAGE = "default"
"""A namespace that every cluster has."""
_FORBIDDEN = 403


def ask(
    scene: Scene, resource: Resource, served: ApiResource, change: Change
) -> Change | tuple[JsonObject, tuple[str, ...]]:
    """The server's answer to a dry run; where it cannot be asked, the change as compared, marked so."""
    if scene.verify is Verify.NEVER:
        return _unverified(change, NOT_ASKED)
    return _asked(scene, resource, served, change)


def _asked(
    scene: Scene, resource: Resource, served: ApiResource, change: Change
) -> Change | tuple[JsonObject, tuple[str, ...]]:
    try:
        answer = _answer(scene, resource, served, change)
    except (Unreachable, AuthFailed):
        raise
    except AccessDenied as error:
        return _unverified(change, error.message)
    except ObjectGone as error:
        return replace(change, op=Op.DENIED, reason=error.message)
    except ObjectConflict as error:
        return replace(change, op=Op.CONFLICT, reason=error.message)
    except ApiRejected as error:
        if error.reason == WEBHOOK_FAILED:
            return _unverified(change, error.message)
        return _rejected(scene, resource, served, change, error)
    return answer.body, answer.warnings


def _rejected(
    scene: Scene, resource: Resource, served: ApiResource, change: Change, error: ApiRejected
) -> Change:
    """What a refusal comes to: a replacement, a judgement by the CRD that changes with this plan, or a denial."""
    if error.reason == TERMINATING:
        return replace(change, op=Op.DENIED, reason=why_leaving(scene, resource.ref.namespace))
    if isinstance(error, ObjectInvalid):
        planned = simulated(scene, resource, change) or refused(scene, resource, served, change, error)
        if planned is not None:
            return planned
    return replace(change, op=Op.DENIED, reason=error.message)


def _answer(scene: Scene, resource: Resource, served: ApiResource, change: Change) -> Applied:
    """An adoption takes fields from the managers whose entries move, whatever the policy about others."""
    if change.op is not Op.ADOPT:
        live = change.op is not Op.CREATE
        return apply_as(scene, resource, served, resource.inputs, live=live, dry_run=True)
    manager = scene.entry.manager
    return scene.client.apply(served, resource.inputs, manager=manager, force=True, dry_run=True)


def _unverified(change: Change, why: str) -> Change:
    if change.op is Op.UPDATE and not change.diff:
        # Everything desired is live; only what we cannot see without asking may differ.
        return replace(change, op=Op.KEEP, unverified=True, reason=why)
    reason = f"{change.reason}; {why}" if change.reason else why
    return replace(change, unverified=True, reason=reason)


def rehearse(
    scene: Scene, resource: Resource, served: ApiResource, change: Change
) -> tuple[Change, tuple[str, ...]]:
    """Ask about an object whose namespace comes with this very plan: the server would only answer that the
    namespace is not there, so the same object is tried under another name in ``default``.

    Only what is said of the object itself counts; quotas and policies of ``default`` do not.
    """
    if scene.verify is Verify.NEVER:
        return _unverified(change, NOT_ASKED), ()
    name = f"{resource.ref.name[:40].rstrip('-.')}-rehearsal"
    metadata = {**object_at(resource.inputs, "metadata"), "namespace": _STAGE, "name": name}
    body: JsonObject = {**resource.inputs, "metadata": metadata}
    try:
        answer = scene.client.apply(served, body, manager=scene.entry.manager, force=False, dry_run=True)
    except (Unreachable, AuthFailed):
        raise
    except ObjectInvalid as error:
        if error.status == _FORBIDDEN:
            return change, ()
        reason = error.message.replace(f"{_STAGE}/{name}", f"{resource.ref.namespace}/{resource.ref.name}")
        return replace(change, op=Op.DENIED, reason=reason.replace(name, resource.ref.name)), ()
    except (AccessDenied, ApiRejected):
        return change, ()
    return change, answer.warnings
