"""What of a desired object is sent to a cluster where others write it too: ``ignoreDifferences``, ``onConflict``.

Preview and write both go through here, each with the live object that it has just read, so that what is written is
what was shown.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.engine.adoption import Takeover, takeover
from fleetmgr.engine.compare import differing
from fleetmgr.engine.contested import contested
from fleetmgr.engine.holding import Held, held, held_after
from fleetmgr.engine.ignored import NOTHING, Ignored, ignored, still_sent, without_ignored
from fleetmgr.engine.inventory import body_digest
from fleetmgr.engine.secrecy import is_secret, mask_diff
from fleetmgr.errors import FleetError, Where
from fleetmgr.model.change import Change, FieldDiff, LeftField, Op
from fleetmgr.model.jsontypes import JsonObject, child, object_at
from fleetmgr.model.policy import ON_CONFLICT_ANNOTATION, OnConflict
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.autoscalers import handed_over
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.cluster import ApiResource, Applied
from fleetmgr.ports.cluster_errors import ObjectConflict

HINT = "take them with --force, leave them with onConflict: keep-theirs, or take them out of Git"


class FieldsHeld(FleetError):
    """Other field managers hold desired fields with other values, and the policy is to fail then."""

    code: ClassVar[str] = "FLT-2010"


class Sending(Struct, frozen=True, kw_only=True):
    """``resource`` as it is to be applied; ``left`` is what stays with others; ``against`` what others hold and the
    policy is to fail then."""

    resource: Resource
    left: tuple[LeftField, ...] = ()
    against: tuple[LeftField, ...] = ()


def on_conflict(scene: Scene, resource: Resource) -> OnConflict:
    """The policy for one object: its annotation (checked at render), else its app's. ``--force`` takes what would
    else fail; what is kept for others by policy, it leaves to them too."""
    said = object_at(resource.inputs, "metadata", "annotations").get(ON_CONFLICT_ANNOTATION)
    app = scene.stack_app(resource.app)
    policy = app.policy.on_conflict if app is not None else OnConflict.TAKE
    if said is not None:
        policy = OnConflict(said)
    return OnConflict.TAKE if policy is OnConflict.FAIL and scene.force else policy


def ignored_of(scene: Scene, resource: Resource) -> Ignored:
    """What ``ignoreDifferences`` says of one object."""
    app = scene.stack_app(resource.app)
    return ignored(app.policy.ignore, resource.ref) if app is not None and app.policy.ignore else NOTHING


def without_ignored_fields(scene: Scene, resource: Resource, live: JsonObject) -> Resource:
    """The object without what ``ignoreDifferences`` leaves as it is live: enough to see that nothing is to do."""
    ignoring = ignored_of(scene, resource)
    if not ignoring:
        return resource
    return _as(resource, still_sent(resource.inputs, live, ignoring, held(live, scene.entry.manager)))


def to_send(
    scene: Scene,
    resource: Resource,
    live: JsonObject | None,
    *,
    taking: Takeover | None = None,
    release: bool = True,
) -> Sending:
    """What is to be applied to ``live`` (None: everything, it is made). ``taking`` is an adoption that has not
    happened yet; ``release`` as for ``still_sent``."""
    policy, ignoring = on_conflict(scene, resource), ignored_of(scene, resource)
    alone = policy is OnConflict.TAKE and not ignoring and child(live or {}, "spec", "replicas") is None
    if live is None or alone:
        return Sending(resource=resource)
    known = _held(scene, live, taking)
    body = still_sent(resource.inputs, live, ignoring, known, release=release)
    left = handed_over(scene, _as(resource, body), live, known)
    if left:
        ignoring = ignoring.and_at(one.field.path for one in left)
        body = still_sent(resource.inputs, live, ignoring, known, release=release)
    theirs = contested(body, live, known) if policy is not OnConflict.TAKE else ()
    if not theirs:
        return Sending(resource=_as(resource, body), left=left)
    told = _masked(resource, theirs)
    if policy is OnConflict.FAIL:
        return Sending(resource=_as(resource, body), left=left, against=told)
    staying = ignoring.and_at(one.field.path for one in theirs)
    body = still_sent(resource.inputs, live, staying, known, release=release)
    return Sending(resource=_as(resource, body), left=(*left, *told))


def as_compared(scene: Scene, resource: Resource, live: JsonObject, *, adopted: bool) -> JsonObject:
    """The part of an object that is held to ``live``: what ``ignoreDifferences``, other managers and autoscalers
    leave alone is as it is live. ``adopted``: as it is once it has been taken over."""
    taking = takeover(live, scene.entry.manager) if adopted else None
    return to_send(scene, resource, live, taking=taking, release=False).resource.inputs


def _held(scene: Scene, live: JsonObject, taking: Takeover | None) -> Held:
    wiped = taking is not None and not object_at(live, "metadata").get("managedFields")
    return held(live, scene.entry.manager) if taking is None or wiped else held_after(taking)


def _as(resource: Resource, body: JsonObject) -> Resource:
    return resource if body is resource.inputs else replace(resource, inputs=body)


def _masked(resource: Resource, fields: tuple[LeftField, ...]) -> tuple[LeftField, ...]:
    if not is_secret(resource.inputs):
        return fields
    return tuple(replace(left, field=one) for left in fields for one in mask_diff((left.field,)))


def desired_digest(scene: Scene, resource: Resource) -> str:
    """What the record keeps of a desired object (``resource`` may be what is sent of it): a change of an ignored
    field in Git is none."""
    whole = scene.resources.get(resource.ref.key, resource)
    return body_digest(without_ignored(whole.inputs, ignored_of(scene, whole)))


def sent_to(scene: Scene, resource: Resource, live: JsonObject | None) -> Resource:
    """What is to be written. Raises FieldsHeld."""
    sending = to_send(scene, resource, live)
    if sending.against:
        where = Where(cluster=scene.entry.cluster, object=str(resource.ref))
        raise FieldsHeld(_told(sending.against), where=where, hint=HINT)
    return sending.resource


def differing_as_sent(scene: Scene, resource: Resource, live: JsonObject) -> tuple[FieldDiff, ...]:
    """What would change of ``live``, as far as it can be said in-process: nothing that is left to others."""
    return differing(to_send(scene, resource, live).resource.inputs, live, {})


def held_by_others(resource: Resource, against: tuple[LeftField, ...]) -> Change:
    """The change of an object that is not written because others hold fields of it."""
    return Change(
        op=Op.CONFLICT,
        app=resource.app,
        ref=resource.ref,
        origin=resource.origin,
        diff=tuple(left.field for left in against),
        reason=f"{_told(against)}; {HINT}",
    )


def _told(against: tuple[LeftField, ...]) -> str:
    """``kubectl holds /spec/replicas; kube-controller-manager holds ...``: each manager with its fields."""
    fields: dict[str, list[str]] = {}
    for left in against:
        fields.setdefault(left.manager, []).append(left.field.path)
    said = "; ".join(f"{manager} holds {', '.join(paths)}" for manager, paths in fields.items())
    return f"other managers have set what Git sets otherwise: {said}"


def apply_as(
    scene: Scene, resource: Resource, served: ApiResource, body: JsonObject, *, live: bool, dry_run: bool
) -> Applied:
    """Apply with the force that the policy gives: none over other managers, unless it is to take.

    Our own manager's Update entries (the Pulumi provider leaves those) are no others. Raises ObjectConflict and
    every other ClusterError.
    """
    manager = scene.entry.manager
    force = live and on_conflict(scene, resource) is OnConflict.TAKE
    try:
        return scene.client.apply(served, body, manager=manager, force=force, dry_run=dry_run)
    except ObjectConflict as error:
        if not live or not error.owners or any(owner.manager != manager for owner in error.owners):
            raise
    return scene.client.apply(served, body, manager=manager, force=True, dry_run=dry_run)
