"""Planning to replace an object: where the server refuses a change because a field is immutable, a new object
under another name is tried by dry run, so that nothing is deleted that could not be created again."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.engine.compare import changes_between
from fleetmgr.engine.fieldset import apply_fields
from fleetmgr.engine.immutable import JOB, dotted, immutable_fields, may_replace
from fleetmgr.engine.protection import PROTECT_ANNOTATION, is_marked
from fleetmgr.engine.recreated import at_work, comparable, cost, propagation
from fleetmgr.engine.rerun import RUN_ANNOTATION, Run, run_of
from fleetmgr.engine.secrecy import is_secret, mask_diff, mask_pair
from fleetmgr.model.change import Change, Op
from fleetmgr.model.consent import address
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.policy import Replace
from fleetmgr.model.replacement import REPLACE_ANNOTATION, Replacement
from fleetmgr.model.resource import Resource
from fleetmgr.model.upkeep import visible
from fleetmgr.model.verify import NOT_ASKED, Verify
from fleetmgr.operations.embedded.scene import CRD, Scene
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AuthFailed, ClusterError, ObjectInvalid, Unreachable

_NAMED_BY_CONTENT = frozenset(
    {CRD, GroupKind("apiregistration.k8s.io", "APIService"), GroupKind("networking.k8s.io", "IPAddress")}
)
"""Kinds whose name follows from what they hold: they cannot be tried under another."""
_ROOM = 40
"""Characters of the name that the rehearsal keeps; Services have room for 63."""
NO_SUCH_RUN = f"its annotation {RUN_ANNOTATION} is none of {', '.join(Run)}"
TRANSIENT = ("exceeded quota", "already allocated", "object is being deleted")
"""What a creation is refused with while the old object is there, or is just gone."""


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What the server says of a new object: ``body`` as it would be, or ``why`` it does not say."""

    body: JsonObject | None = None
    why: str = ""
    refused: bool = False
    """It will not be accepted."""
    unasked: bool = False
    """The server could not judge (no right, a webhook that does not answer)."""


def refused(
    scene: Scene, resource: Resource, served: ApiResource, change: Change, error: ObjectInvalid
) -> Change | None:
    """The replacement that a refused change comes to, or why there is none; None when it was not refused for an
    immutable field."""
    live = scene.live.get(resource.ref.key)
    if live is None or change.op not in (Op.UPDATE, Op.MOVE, Op.ADOPT):
        return None
    fields = immutable_fields(error.causes, error.message, change.diff)
    if not fields:
        return None
    if change.op is Op.ADOPT:
        why = f"{dotted(fields)} cannot be changed in place, and what is not ours yet is never deleted"
        return replace(
            change, op=Op.DENIED, reason=f"{why}: bring Git in line with it first, or delete it by hand"
        )
    return replacing(scene, resource, served, change, fields)


def replacing(
    scene: Scene, resource: Resource, served: ApiResource, change: Change, fields: tuple[str, ...]
) -> Change:
    """The planned replacement of an object of ours; denied without consent, or if it could not be created again."""
    resource = scene.resources.get(
        resource.ref.key, resource
    )  # a new one gets all that Git says, ignored or not
    kind = resource.ref.key.group_kind
    live = scene.live[resource.ref.key]
    how = Replacement(fields=fields, propagation=propagation(kind, live, resource.inputs))
    change = replace(change, replacement=how)
    app = scene.stack_app(resource.app)
    said = object_at(resource.inputs, "metadata", "annotations").get(REPLACE_ANNOTATION)
    policy = app.policy.replace if app is not None else Replace.ASK
    agreed = may_replace(kind, policy, said, force=scene.force)
    why = f"{dotted(fields)} cannot be changed in place" if fields else change.reason or ""
    if not agreed.given:
        return replace(change, op=Op.DENIED, reason=f"{why}; {agreed.advice}")
    if is_marked(live, resource.inputs) and not scene.consent.names(resource.ref):
        advice = (
            f"annotated {PROTECT_ANNOTATION}: true; to replace it: --delete-protected {address(resource.ref)}"
        )
        return replace(change, op=Op.DENIED, reason=f"{why}; {advice}")
    never = scene.verify is Verify.NEVER
    tried = Rehearsal(why=NOT_ASKED) if never else rehearsed(scene, resource, served)
    if tried.refused:
        return replace(change, op=Op.DENIED, reason=f"{why}, and a new one is refused: {tried.why}")
    return _planned(scene, resource, live, replace(change, forced=agreed.forced), tried, why)


def run_again(scene: Scene, resource: Resource, served: ApiResource, why: str) -> Change:
    """A Job that is as desired and runs again because it asks to."""
    change = Change(op=Op.REPLACE, app=resource.app, ref=resource.ref, origin=resource.origin, reason=why)
    change = replacing(scene, resource, served, change, ())
    how = change.replacement
    if how is None or run_of(resource) is not Run.APPLY:
        return change
    return replace(change, replacement=replace(how, every_apply=True))


def _planned(
    scene: Scene, resource: Resource, live: JsonObject, change: Change, tried: Rehearsal, why: str
) -> Change:
    kind = resource.ref.key.group_kind
    answer = tried.body if tried.body is not None else resource.inputs
    before, after = comparable(live, resource.inputs), comparable(answer, resource.inputs)
    diff = changes_between(before, after, apply_fields(answer, scene.entry.manager))
    old, new = visible(before), visible(after)
    if is_secret(resource.inputs):
        diff = mask_diff(diff)
        old, new = mask_pair(old, new)
    parts = [why, "deleted and created again", cost(kind, live, resource.inputs)]
    if kind == JOB and at_work(live):
        parts.append(
            "it is at work: stopped" if scene.force else "it is at work: waits until it has finished"
        )
    if tried.body is None:
        parts.append(tried.why)
    return replace(
        change,
        op=Op.REPLACE,
        diff=diff if tried.body is not None else change.diff,
        reason="; ".join(part for part in parts if part),
        unverified=tried.body is None,
        live=old,
        result=new,
    )


def rehearsed(scene: Scene, resource: Resource, served: ApiResource) -> Rehearsal:
    """Ask by dry run for the same object under another name. Raises Unreachable and AuthFailed."""
    if resource.ref.key.group_kind in _NAMED_BY_CONTENT:
        return Rehearsal(why="the server cannot be asked about a new one while it is there")
    name = f"{resource.ref.name[:_ROOM].rstrip('-.')}-rehearsal"
    body: JsonObject = {
        **resource.inputs,
        "metadata": {**object_at(resource.inputs, "metadata"), "name": name},
    }
    try:
        answer = scene.client.apply(served, body, manager=scene.entry.manager, force=False, dry_run=True)
    except (Unreachable, AuthFailed):
        raise
    except ObjectInvalid as error:
        told = error.message.replace(name, resource.ref.name)
        return Rehearsal(why=told, refused=not any(words in told for words in TRANSIENT))
    except ClusterError as error:
        return Rehearsal(why=error.message.replace(name, resource.ref.name), unasked=True)
    return Rehearsal(body=answer.body)
