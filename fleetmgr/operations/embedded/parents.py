"""Keeping the inventory: widened before members are written, narrowed after they are gone, so that a crash at
any point loses track of nothing."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from fleetmgr.engine.inventory import Parent, key_text, marker_body, parent_body
from fleetmgr.engine.record import HookMemory, Record
from fleetmgr.engine.secrecy import is_secret
from fleetmgr.model.applyset import parent_name
from fleetmgr.model.change import Change, Op
from fleetmgr.model.memory import DONE, FAILED, INTERRUPTED, UNHEALTHY, RunResult
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.policy import Policy
from fleetmgr.model.report import ObjectResult, Outcome
from fleetmgr.model.resource import StackApp
from fleetmgr.operations.embedded.entry import CONFIG_MAPS, delete_kept
from fleetmgr.operations.embedded.flapping import fights_after
from fleetmgr.operations.embedded.jobs import finished_jobs, unremembered
from fleetmgr.operations.embedded.keys import NoKey, make_key
from fleetmgr.operations.embedded.rewriting import rewrite
from fleetmgr.operations.embedded.scene import Scene, ensure_system_namespace
from fleetmgr.operations.embedded.sending import desired_digest


def prepare(scene: Scene, *, now: str) -> None:
    """Make our namespace and, at first contact, the marker of this entry."""
    ensure_system_namespace(scene.client, scene.entry.manager)
    if scene.first_contact:
        body = marker_body(fleet=scene.entry.fleet, cluster=scene.entry.cluster, since=now)
        scene.client.apply(CONFIG_MAPS, body, manager=scene.entry.manager, force=True, dry_run=False)
        if any(is_secret(resource.inputs) for resource in scene.resources.values()):
            with contextlib.suppress(NoKey):  # saved plans say so when they need one
                make_key(scene)


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


def note_hooks(scene: Scene, app: str, memory: HookMemory) -> None:
    """Remember in the middle of an apply what its hooks have come to; the rest of the record stays as it is."""
    record = scene.record(app) or _policy_only(scene.stack_app(app))
    _write(scene, app, _keys(scene, app), replace(record, hooks=memory), before=scene.parents.get(app))


def _policy_only(current: StackApp | None) -> Record:
    policy = current.policy if current is not None else Policy()
    needs = current.depends_on if current is not None else ()
    return Record(prune=policy.prune, on_remove=policy.on_remove, depends_on=needs)


def _covers(parent: Parent, keys: list[ObjectKey]) -> bool:
    namespaces = {k.namespace for k in keys if k.namespace}
    return {k.group_kind for k in keys} <= parent.group_kinds and namespaces <= parent.namespaces


def conclude(scene: Scene, app: str, record: Record, *, left: Iterable[ObjectKey]) -> None:
    """Write the record; the parent narrows to what is desired and what is ``left`` (orphans, failed deletes)."""
    _write(scene, app, [*_keys(scene, app), *left], record)


def forget(scene: Scene, app: str) -> None:
    """Delete the parent of an app that is gone from Git and has no members left."""
    delete_kept(scene.client, CONFIG_MAPS, parent_name(scene.entry.fleet, scene.entry.cluster, app))


class Signature(Struct, frozen=True, kw_only=True):
    """Of which plan and revision an apply is, by whom, and when (RFC 3339); why uncommitted files were applied."""

    plan_id: str
    revision: str
    actor: str
    at: str
    dirty_reason: str = ""


class AppRun(Struct, frozen=True, kw_only=True):
    """What a run did for one app: its ``changes`` as planned, how each write of them ended (``results``), and whether
    the app was ``healthy`` in the end (None: nobody waited)."""

    run: Signature
    changes: tuple[Change, ...]
    results: tuple[ObjectResult, ...]
    healthy: bool | None
    health: str = ""
    """What its health says, where it is not well."""

    @property
    def done(self) -> frozenset[ObjectKey]:
        """Objects that were written."""
        return frozenset(r.ref.key for r in self.results if r.outcome is Outcome.DONE)

    @property
    def tried(self) -> bool:
        """Whether a write was sent: what was refused as planned, or came after that, was not."""
        return any(r.outcome is not Outcome.SKIPPED and r.op.writes for r in self.results)


def new_record(scene: Scene, app: str, went: AppRun) -> Record:
    """What to remember of this run. After a failure the objects of the last success stay the yardstick.

    Raises ClusterError.
    """
    done = went.done
    written = [c.ref.key for c in went.changes if c.ref.key in done and c.op is not Op.DELETE]
    before = scene.record(app) or Record()
    current = scene.stack_app(app)
    result = _result(went, current)
    record = replace(
        before,
        prune=current.policy.prune if current else before.prune,
        on_remove=current.policy.on_remove if current else before.on_remove,
        depends_on=current.depends_on if current else before.depends_on,
        results=_results(before, went, result),
        healthy_since=_healthy_since(before, went),
        finished=finished_jobs(scene, app, written),
        fights=fights_after(
            scene, app, [c for c in went.changes if c.drift and c.ref.key in done], went.run.at
        ),
        drifted=_drifted(before, went),
    )
    if scene.removing:
        left = {key_text(c.ref.key) for c in went.changes if c.ref.key not in done}
        return replace(
            record,
            objects={text: digest for text, digest in record.objects.items() if text in left},
            finished={},
            fights={},
            drifted={},
        )
    if current is None or result.outcome != DONE:
        return record
    return replace(
        record,
        revision=result.revision,
        fleet_revision=result.fleet_revision,
        artifact_digest=current.artifact_digest,
        plan_id=result.plan_id,
        actor=result.actor,
        applied_at=result.at,
        objects=recorded_objects(scene, app),
    )


def note_refusal(scene: Scene, app: str, went: AppRun) -> None:
    """Remember a run that had nothing to write for an app that it failed; the rest of the record stays as it is.

    Once a plan: who tries it again and again keeps what was before. Nothing where the app has no record, or somebody
    has applied since. Raises ClusterError.
    """
    before = scene.record(app)
    result = _result(went, scene.stack_app(app))
    if before is not None and not _noted(before, result):
        rewrite(scene, app, lambda record: replace(record, results=record.after(result)))


def _results(before: Record, went: AppRun, result: RunResult) -> tuple[RunResult, ...]:
    if not went.results or (not went.tried and _noted(before, result)):
        return before.results
    return before.after(result)


def _noted(before: Record, result: RunResult) -> bool:
    """Whether this plan is known to have failed since all last went well."""
    since = takewhile(lambda run: run.outcome != DONE, before.results)
    return any((run.plan_id, run.outcome) == (result.plan_id, result.outcome) for run in since)


def _result(went: AppRun, current: StackApp | None) -> RunResult:
    run = went.run
    counts = Counter(r.op.value if r.outcome is Outcome.DONE else r.outcome.value for r in went.results)
    return RunResult(
        at=run.at,
        outcome=_outcome(went),
        plan_id=run.plan_id,
        revision=(current.revision if current else None) or run.revision,
        fleet_revision=run.revision,
        actor=run.actor,
        reason=_reason(went),
        dirty_reason=run.dirty_reason,
        counts=dict(counts),
    )


def _outcome(went: AppRun) -> str:
    if any(r.outcome is not Outcome.DONE for r in went.results):
        return FAILED
    if any(c.op.writes and c.ref.key not in went.done for c in went.changes):
        return INTERRUPTED
    return UNHEALTHY if went.healthy is False else DONE


def _reason(went: AppRun) -> str:
    failed = sorted((r for r in went.results if r.problem), key=lambda r: r.outcome is Outcome.SKIPPED)
    for result in failed:
        if result.problem is not None:
            return f"{result.ref.short}: {result.problem.message}"
    return went.health if went.healthy is False else ""


def _healthy_since(before: Record, went: AppRun) -> str | None:
    if went.healthy is None:
        return None if went.tried else before.healthy_since
    if not went.healthy:
        return None
    return (before.healthy_since if not went.results else None) or went.run.at


def _drifted(before: Record, went: AppRun) -> dict[str, str]:
    """Drift that this run saw and did not heal; known drift keeps its time."""
    left = (c for c in went.changes if c.drift and c.op is not Op.KEEP and c.ref.key not in went.done)
    return {text: before.drifted.get(text, went.run.at) for text in (key_text(c.ref.key) for c in left)}


def recorded_objects(scene: Scene, app: str) -> dict[str, str]:
    """Digests of the desired objects of an app; Secrets have none."""
    return {
        key_text(key): desired_digest(scene, r)
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
        or record.depends_on != current.depends_on
        or unremembered(scene, app)
    )


def _keys(scene: Scene, app: str) -> list[ObjectKey]:
    hooks = (key for key, hook in scene.hooks.items() if hook.resource.app == app)
    return [*(key for key, r in scene.resources.items() if r.app == app), *hooks]


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
