"""Keeping the inventory: widened before members are written, narrowed after they are gone, so that a crash at
any point loses track of nothing."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fleetmgr.engine.inventory import Parent, Record, body_digest, key_text, marker_body, parent_body
from fleetmgr.engine.secrecy import is_secret
from fleetmgr.model.applyset import SYSTEM_NAMESPACE, parent_name
from fleetmgr.model.change import Change
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.policy import Policy
from fleetmgr.model.resource import StackApp
from fleetmgr.operations.embedded.entry import CONFIG_MAPS, NAMESPACES
from fleetmgr.operations.embedded.flapping import fights_after
from fleetmgr.operations.embedded.jobs import finished_jobs, unremembered
from fleetmgr.operations.embedded.scene import Scene, exists

KEPT_OUTCOMES = 10


def prepare(scene: Scene, *, now: str) -> None:
    """Make our namespace and, at first contact, the marker of this entry."""
    if not exists(scene.client, SYSTEM_NAMESPACE):
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": SYSTEM_NAMESPACE},
        }
        scene.client.apply(NAMESPACES, body, manager=scene.entry.manager, force=False, dry_run=False)
    if scene.first_contact:
        body = marker_body(fleet=scene.entry.fleet, cluster=scene.entry.cluster, since=now)
        scene.client.apply(CONFIG_MAPS, body, manager=scene.entry.manager, force=True, dry_run=False)


def widen(scene: Scene, app: str) -> None:
    """Name every kind that the app has or is about to have on the cluster; the record stays as it is.

    A first record holds the policy: if this apply is killed and the app then leaves Git, it is still known
    whether its objects may be pruned.
    """
    parent = scene.parents.get(app)
    keys = _keys(scene, app)
    if parent is not None and _covers(parent, keys):
        return
    current = scene.stack_app(app)
    record = scene.record(app) or _policy_only(current)
    _write(scene, app, keys, record, before=parent)


def _policy_only(current: StackApp | None) -> Record:
    policy = current.policy if current is not None else Policy()
    return Record(prune=policy.prune, on_remove=policy.on_remove)


def _covers(parent: Parent, keys: list[ObjectKey]) -> bool:
    namespaces = {k.namespace for k in keys if k.namespace}
    return {k.group_kind for k in keys} <= parent.group_kinds and namespaces <= parent.namespaces


def conclude(scene: Scene, app: str, record: Record, *, left: Iterable[ObjectKey]) -> None:
    """Write the record; the parent narrows to what is desired and what is ``left`` (orphans, failed deletes)."""
    _write(scene, app, [*_keys(scene, app), *left], record)


def forget(scene: Scene, app: str) -> None:
    """Delete the parent of an app that is gone from Git and has no members left."""
    name = parent_name(scene.entry.fleet, scene.entry.cluster, app)
    live = scene.client.get(CONFIG_MAPS, namespace=SYSTEM_NAMESPACE, name=name)
    if live is not None:
        uid = str(object_at(live, "metadata")["uid"])
        scene.client.delete(CONFIG_MAPS, namespace=SYSTEM_NAMESPACE, name=name, uid=uid)


class Signature(Struct, frozen=True, kw_only=True):
    """Of which plan and revision an apply is, by whom, and when (RFC 3339)."""

    plan_id: str
    revision: str
    actor: str
    at: str


def new_record(
    scene: Scene,
    app: str,
    *,
    run: Signature,
    outcome: str,
    written: Iterable[ObjectKey],
    healed: Iterable[Change],
) -> Record:
    """What to remember of this run, which has ``written`` objects and ``healed`` drift. After a failure the
    objects of the last success stay the yardstick. Raises ClusterError."""
    finished = finished_jobs(scene, app, written)
    fights = fights_after(scene, app, healed, run.at)
    before = scene.record(app) or Record()
    current = scene.stack_app(app)
    outcomes = (f"{run.at} {outcome} {run.plan_id[:12]}", *before.outcomes)[:KEPT_OUTCOMES]
    if current is None or outcome != "done":
        return Record(
            revision=before.revision,
            artifact_digest=before.artifact_digest,
            plan_id=before.plan_id,
            actor=before.actor,
            applied_at=before.applied_at,
            prune=current.policy.prune if current else before.prune,
            on_remove=current.policy.on_remove if current else before.on_remove,
            objects=before.objects,
            outcomes=outcomes,
            finished=finished,
            fights=fights,
        )
    return Record(
        revision=current.revision or run.revision,
        artifact_digest=current.artifact_digest,
        plan_id=run.plan_id,
        actor=run.actor,
        applied_at=run.at,
        prune=current.policy.prune,
        on_remove=current.policy.on_remove,
        objects=recorded_objects(scene, app),
        outcomes=outcomes,
        finished=finished,
        fights=fights,
    )


def recorded_objects(scene: Scene, app: str) -> dict[str, str]:
    """Digests of the desired objects of an app; Secrets have none."""
    return {
        key_text(key): body_digest(r.inputs)
        for key, r in scene.resources.items()
        if r.app == app and not is_secret(r.inputs)
    }


def stale(scene: Scene, app: str) -> bool:
    """Whether the memory of an app is behind what is live: an apply that was killed before it concluded."""
    record, current = scene.record(app), scene.stack_app(app)
    if current is None:
        return False
    return (
        record is None
        or record.artifact_digest != current.artifact_digest
        or record.objects != recorded_objects(scene, app)
        or record.prune is not current.policy.prune
        or record.on_remove is not current.policy.on_remove
        or unremembered(scene, app)
    )


def _keys(scene: Scene, app: str) -> list[ObjectKey]:
    return [key for key, r in scene.resources.items() if r.app == app]


def _write(
    scene: Scene,
    app: str,
    keys: Iterable[ObjectKey],
    record: Record | None,
    *,
    before: Parent | None = None,
) -> None:
    body = parent_body(
        fleet=scene.entry.fleet,
        cluster=scene.entry.cluster,
        app=app,
        keys=keys,
        before=before,
        record=record,
    )
    scene.client.apply(CONFIG_MAPS, body, manager=scene.entry.manager, force=True, dry_run=False)
