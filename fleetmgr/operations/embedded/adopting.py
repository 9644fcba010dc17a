"""Taking over what another tool made: planned from two dry runs, performed in two fenced writes.

First the earlier managers' entries move into ours (a JSON patch of managedFields and nothing else), then the
object is applied. Killed in between, the object is as it was and its fields are already ours: the next run with
the same policy goes on from there.
"""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.engine.adoption import BEFORE_FIRST_APPLY, Kept, Takeover, pruned, takeover, without_bookkeeping
from fleetmgr.engine.compare import changes_between, differing, same
from fleetmgr.engine.fieldset import apply_fields, holds
from fleetmgr.engine.ownership import Owner, Ownership
from fleetmgr.engine.secrecy import is_secret, mask_diff, mask_pair
from fleetmgr.engine.trackers import refusal, trackers
from fleetmgr.model.change import Adoption, Change, FieldDiff, Op
from fleetmgr.model.jsontypes import JsonObject, array_at, is_object, object_at
from fleetmgr.model.resource import Resource
from fleetmgr.model.upkeep import LAST_APPLIED, visible
from fleetmgr.operations.embedded.asking import WEBHOOK_FAILED, ask
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.sending import held_by_others, sent_to, to_send
from fleetmgr.operations.embedded.write import TRIES, changed, fenced, served_as
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ApiRejected, ObjectConflict, ObjectInvalid

HINT = "to take it over: --adopt, or adopt: always in its app"

_UNKNOWN = "somebody unknown (its managedFields were wiped)"


def conflict(scene: Scene, resource: Resource, live: JsonObject, whose: Ownership) -> str | None:
    """Why an object that is not ours is left alone; None when it is to be adopted."""
    holder = whose.holder or "it carries this fleet's label but was not applied by it"
    known = trackers(live)
    if known and whose.owner is Owner.FOREIGN:
        holder = (
            f"{holder}; made by {_listed(tuple(t.who for t in known))}" if "Helm" not in holder else holder
        )
    against = None if whose.owner is Owner.UNPROVEN else refusal(live)
    if against is not None:
        return f"exists already: {holder}; it cannot be adopted: {against}"
    return None if scene.adopts(resource.app) else f"exists already: {holder}; {HINT}"


def adopt(
    scene: Scene, resource: Resource, served: ApiResource, live: JsonObject
) -> tuple[Change, tuple[str, ...]]:
    """The planned adoption: what it changes, exactly as the apply will, and what the other tool must be told."""
    manager = scene.entry.manager
    taking = takeover(live, manager)
    sending = to_send(scene, resource, live, taking=taking)
    if sending.against:
        return held_by_others(resource, sending.against), ()
    resource = sending.resource
    diff = changes_between(live, _compared(resource, live, taking), taking.fields)
    change = _change(resource, live, taking, Kept.NOTHING, diff)
    asked = ask(scene, resource, served, change)
    if isinstance(asked, Change):
        return asked, ()
    answer, warnings = asked
    taking = _with_unknown(taking, live, answer, manager)
    after, kept, why = _rehearsed(scene, resource, served, live, answer, taking)
    diff = changes_between(live, after, apply_fields(answer, manager))
    change = _change(resource, live, taking, kept, diff, after)
    change = replace(change, left=sending.left)
    if why is not None:
        change = replace(change, unverified=True, reason=f"{change.reason}; {why}")
    return change, warnings


def _compared(resource: Resource, live: JsonObject, taking: Takeover) -> JsonObject:
    """The object afterwards as far as it can be said without the server."""
    below = pruned(live, taking.fields, resource.inputs, taking.others)
    return _laid_over(below, resource.inputs)


def _laid_over(live: JsonObject, desired: JsonObject) -> JsonObject:
    result = dict(live)
    for key, value in desired.items():
        mine = result.get(key)
        result[key] = _laid_over(mine, value) if is_object(mine) and is_object(value) else value
    return result


def _with_unknown(taking: Takeover, live: JsonObject, answer: JsonObject, manager: str) -> Takeover:
    """Where managedFields was wiped, the first apply makes an entry of all that was there: that one moves."""
    if array_at(live, "metadata", "managedFields"):
        return taking
    return takeover(answer, manager)


def _rehearsed(
    scene: Scene,
    resource: Resource,
    served: ApiResource,
    live: JsonObject,
    answer: JsonObject,
    taking: Takeover,
) -> tuple[JsonObject, Kept, str | None]:
    """The object after the adoption, which fields stay because the server does not let go of them, and why the
    server could not be asked.

    A dry run of the apply cannot know of a move that has not happened. So what the apply would then remove is
    taken out here, and the server is asked what it makes of the rest: defaults come back, immutable fields do not
    go.
    """
    for kept in Kept:
        body = pruned(answer, taking.held(kept, resource.inputs), resource.inputs, taking.others)
        if same(body, answer):
            return answer, kept, None
        try:
            return _tried(scene, resource, served, live, body), kept, None
        except ObjectInvalid:
            continue
        except AccessDenied as error:
            return body, kept, error.message
        except ApiRejected as error:
            if error.reason != WEBHOOK_FAILED:
                continue
            return body, kept, error.message
    return answer, Kept.EVERYTHING, None


def _tried(
    scene: Scene, resource: Resource, served: ApiResource, live: JsonObject, body: JsonObject
) -> JsonObject:
    operations: list[JsonObject] = []
    new, old = object_at(body, "metadata"), object_at(live, "metadata")
    for part in ("labels", "annotations"):
        operations += _replacing(f"/metadata/{part}", old.get(part), new.get(part))
    for part in sorted({*live, *body} - {"apiVersion", "kind", "metadata", "status"}):
        operations += _replacing(f"/{part}", live.get(part), body.get(part))
    ref = resource.ref
    return scene.client.patch(
        served,
        namespace=ref.namespace,
        name=ref.name,
        operations=operations,
        manager=scene.entry.manager,
        dry_run=True,
    )


def _replacing(path: str, old: object, new: object) -> list[JsonObject]:
    if new is not None:
        return [{"op": "add", "path": path, "value": new}]
    return [{"op": "remove", "path": path}] if old is not None else []


def _change(
    resource: Resource,
    live: JsonObject,
    taking: Takeover,
    kept: Kept,
    diff: tuple[FieldDiff, ...],
    after: JsonObject | None = None,
) -> Change:
    old, new = visible(live), visible(resource.inputs if after is None else after)
    secret = is_secret(resource.inputs)
    before, result = mask_pair(old, new) if secret else (old, new)
    return Change(
        op=Op.ADOPT,
        app=resource.app,
        ref=resource.ref,
        origin=resource.origin,
        diff=without_bookkeeping(mask_diff(diff) if secret else diff),
        reason=_reason(live, taking, kept),
        adoption=Adoption(managers=taking.managers, kept=kept.value),
        live=before,
        result=result,
    )


def _reason(live: JsonObject, taking: Takeover, kept: Kept) -> str:
    known = trackers(live)
    managers = _listed(tuple(_UNKNOWN if m == BEFORE_FIRST_APPLY else m for m in taking.managers))
    staying = _listed(taking.writers)
    made = _listed(tuple(t.who for t in known)) or managers or staying
    parts = [f"made by {made}" if made else "an earlier run began to take it over"]
    if managers:
        parts.append(
            f"the fields of {managers} become this fleet's" if known else "its fields become this fleet's"
        )
    elif staying:
        parts.append(f"the fields of {staying} stay with it, but for those that Git names")
    if object_at(live, "metadata", "annotations").get(LAST_APPLIED):
        parts.append("kubectl's last-applied annotation goes")
    if kept is not Kept.NOTHING:
        parts.append("fields that Git does not name and the server does not let go of stay")
    parts += [f"afterwards {t.forget}" for t in known]
    return "; ".join(parts)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def write_adoption(scene: Scene, resource: Resource, change: Change) -> tuple[str, ...]:
    """Perform a planned adoption; returns the server's warnings. Raises ClusterError, Changed, NotServed."""
    served = served_as(scene, resource.ref)
    adoption = change.adoption or Adoption(managers=(), kept=Kept.NOTHING.value)
    for attempt in range(TRIES):
        live = scene.client.get(served, namespace=resource.ref.namespace, name=resource.ref.name)
        if live is None:
            raise changed(scene, resource.ref, "is gone since the plan")
        _check_as_planned(scene, resource, live)
        try:
            moved = _moved(scene, resource, served, live, adoption)
            body = fenced(sent_to(scene, resource, moved), moved)
            return scene.client.apply(
                served, body, manager=scene.entry.manager, force=True, dry_run=False
            ).warnings
        except ObjectConflict as error:
            if error.owners or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _moved(
    scene: Scene, resource: Resource, served: ApiResource, live: JsonObject, adoption: Adoption
) -> JsonObject:
    """The object once the entries have moved; ``live`` itself when there is nothing to move."""
    manager = scene.entry.manager
    taking = takeover(live, manager)
    resource = _sent(scene, resource, live)
    if not array_at(live, "metadata", "managedFields"):
        body = fenced(resource, live)
        answer = scene.client.apply(served, body, manager=manager, force=True, dry_run=True).body
        taking = takeover(answer, manager)
    if not set(taking.managers) <= set(adoption.managers):
        raise changed(scene, resource.ref, f"was written by {_listed(taking.managers)} since the plan")
    if not taking.managers:
        return live
    fields = taking.held(Kept(adoption.kept), resource.inputs)
    operations: list[JsonObject] = [
        {
            "op": "add",
            "path": "/metadata/managedFields",
            "value": taking.entries(manager, resource.ref.api_version, fields),
        },
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": object_at(live, "metadata")["resourceVersion"],
        },
    ]
    ref = resource.ref
    return scene.client.patch(
        served, namespace=ref.namespace, name=ref.name, operations=operations, manager=manager
    )


def _sent(scene: Scene, resource: Resource, live: JsonObject) -> Resource:
    """What is sent once the entries have moved."""
    return to_send(scene, resource, live, taking=takeover(live, scene.entry.manager)).resource


def _check_as_planned(scene: Scene, resource: Resource, live: JsonObject) -> None:
    """Nothing has moved since the plan, its makers' marks neither, but what others write that keep their fields
    (the revision of a Deployment, the volume of a claim)."""
    planned = scene.live.get(resource.ref.key, {})
    if object_at(planned, "metadata").get("uid") != object_at(live, "metadata").get("uid"):
        raise changed(scene, resource.ref, "was replaced by another object since the plan")
    sent, foreseen = (_sent(scene, resource, body) for body in (live, planned))
    if differing(sent.inputs, live, {}) != differing(foreseen.inputs, planned, {}):
        raise changed(scene, resource.ref, "was changed since the plan")
    taking = takeover(live, scene.entry.manager)
    for diff in changes_between(planned, live, {}):
        if any(holds(theirs, diff.path) for theirs in taking.others) and not holds(taking.fields, diff.path):
            continue
        raise changed(scene, resource.ref, "was changed since the plan")
