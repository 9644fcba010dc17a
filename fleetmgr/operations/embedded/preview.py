"""What an apply would change on one cluster: compared in-process, asked of the server only where it may differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from fleetmgr.engine.compare import differing
from fleetmgr.engine.extra import extra_fields
from fleetmgr.engine.fieldset import apply_fields, leftovers, own_fields
from fleetmgr.engine.inventory import key_text
from fleetmgr.engine.noise import noise_of, quiet_noise, with_resets
from fleetmgr.engine.ownership import Owner, writer_of
from fleetmgr.engine.rerun import run_of, runs_again
from fleetmgr.engine.secrecy import is_secret, mask_diff, mask_pair
from fleetmgr.engine.settled import settled
from fleetmgr.model.change import Change, ClusterPlan, ClusterStatus, FieldDiff, Op
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.resource import Resource
from fleetmgr.model.upkeep import visible
from fleetmgr.model.verify import Verify
from fleetmgr.operations.embedded.adopting import adopt, conflict
from fleetmgr.operations.embedded.answered import answered_diff, of_one_version
from fleetmgr.operations.embedded.asking import ask, rehearse
from fleetmgr.operations.embedded.flapping import flapping
from fleetmgr.operations.embedded.foreseeing import with_doubts
from fleetmgr.operations.embedded.hook_plan import hook_changes
from fleetmgr.operations.embedded.jobs import finished_earlier
from fleetmgr.operations.embedded.leftovers import being_deleted, no_longer_desired
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.replacing import NO_SUCH_RUN, run_again
from fleetmgr.operations.embedded.scene import Scene, namespace_ref
from fleetmgr.operations.embedded.sending import (
    desired_digest,
    held_by_others,
    to_send,
    without_ignored_fields,
)
from fleetmgr.operations.embedded.simulating import comes_with_api_service, simulated
from fleetmgr.ports.cluster import ApiResource


def preview(scene: Scene) -> ClusterPlan:
    """The Changes of the selected apps, sorted by app order and object."""
    warnings = [str(problem) for problem in scene.stack.warnings]
    changes = [*_namespaces(scene)]
    for change, said in in_parallel(lambda r: _judge(scene, r), scene.selected()):
        changes.append(change)
        warnings += said
    changes += no_longer_desired(scene)
    changes += hook_changes(scene, changes)
    changes = with_doubts(scene, changes)
    if scene.extra_fields:
        changes = [_with_extra(scene, change) for change in changes]
    order = {app.name: index for index, app in enumerate(scene.stack.apps)}
    changes.sort(key=lambda c: (order.get(c.app, len(order)), c.app, c.ref))
    status = ClusterStatus.CHANGED if any(c.op.writes for c in changes) else ClusterStatus.UNCHANGED
    return ClusterPlan(
        cluster=scene.entry.cluster,
        environment=scene.entry.environment,
        status=status,
        changes=tuple(changes),
        first_contact=scene.first_contact,
        warnings=tuple(sorted(set(warnings))),
        owned=_owned(scene, changes),
        removed=tuple(sorted(a for a in scene.apps if a in scene.parents and scene.stack_app(a) is None)),
    )


def _with_extra(scene: Scene, change: Change) -> Change:
    resource, live = scene.resources.get(change.ref.key), scene.live.get(change.ref.key)
    if resource is None or live is None or change.op not in _KNOWN:
        return change
    return replace(change, extra=extra_fields(resource.inputs, live, scene.entry.manager))


_KNOWN = frozenset({Op.KEEP, Op.UPDATE, Op.MOVE, Op.REPLACE})
_OURS = frozenset({Op.KEEP, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.MOVE, Op.ORPHANED})


def _owned(scene: Scene, changes: Sequence[Change]) -> dict[str, int]:
    """Objects of ours by app; those of apps that are not selected as far as their records tell."""
    recorded = {
        app: len(parent.record.objects)
        for app, parent in scene.parents.items()
        if parent.record is not None and app not in scene.apps
    }
    here = Counter(c.app for c in changes if c.op in _OURS and c.ref.key in scene.live)
    return {app: number for app, number in {**recorded, **here}.items() if number}


def _namespaces(scene: Scene) -> Iterator[Change]:
    """Namespaces that ``createNamespace`` makes: created when absent, never labelled, updated or pruned."""
    for name, app in sorted(implicit_namespaces(scene).items()):
        yield Change(op=Op.CREATE, app=app, ref=namespace_ref(name), reason="createNamespace")


def implicit_namespaces(scene: Scene) -> dict[str, str]:
    """Absent namespaces that the selected apps make for themselves, with the first app that needs each."""
    missing: dict[str, str] = {}
    for resource in scene.selected():
        name = resource.ref.namespace
        app = scene.stack_app(resource.app)
        absent = name and name not in scene.namespaces and namespace_ref(name).key not in scene.resources
        if absent and app is not None and app.create_namespace:
            missing.setdefault(name, resource.app)
    return missing


def _judge(scene: Scene, resource: Resource) -> tuple[Change, tuple[str, ...]]:
    served = scene.discovery.find(*resource.ref[:3])
    if served is None:
        return _not_served(scene, resource), ()
    if run_of(resource) is None:
        return _change(resource, Op.DENIED, reason=NO_SUCH_RUN), ()
    live = scene.live.get(resource.ref.key)
    if live is None and finished_earlier(scene, resource):
        return _change(resource, Op.KEEP, reason="has finished; its TTL removed it"), ()
    if live is None:
        return _create(scene, resource, served)
    return _existing(scene, resource, served, live)


def _change(resource: Resource, op: Op, **parts: object) -> Change:
    base = Change(op=op, app=resource.app, ref=resource.ref, origin=resource.origin)
    return replace(base, **parts)


def _not_served(scene: Scene, resource: Resource) -> Change:
    ref = resource.ref
    coming = simulated(scene, resource, _change(resource, Op.CREATE))
    if coming is not None:
        return coming
    if comes_with_api_service(scene, ref):
        return _change(resource, Op.CREATE, unverified=True, reason="its APIService comes with this plan")
    if scene.discovery.unreadable(ref.group):
        reason = f"the API group {ref.group} of this cluster cannot be read now"
    else:
        reason = f"this cluster does not serve {ref.kind} in {ref.api_version}; install its CRD first"
    return _change(resource, Op.DENIED, reason=reason)


def _create(scene: Scene, resource: Resource, served: ApiResource) -> tuple[Change, tuple[str, ...]]:
    gone = _recorded(scene, resource)
    reason = "was deleted on the cluster" if gone else None
    _, after = _shown(None, resource.inputs)
    change = _change(resource, Op.CREATE, reason=reason, drift=gone, result=after)
    namespace = resource.ref.namespace
    if namespace and namespace not in scene.namespaces:
        return _create_in_new_namespace(scene, change, resource, served)
    asked = ask(scene, resource, served, change)
    if isinstance(asked, Change):
        return asked, ()
    _, after = _shown(None, asked[0])
    return replace(change, result=after), asked[1]


def _create_in_new_namespace(
    scene: Scene, change: Change, resource: Resource, served: ApiResource
) -> tuple[Change, tuple[str, ...]]:
    namespace = change.ref.namespace
    if namespace in implicit_namespaces(scene) or namespace_ref(namespace).key in scene.resources:
        return rehearse(scene, resource, served, change)
    reason = f"namespace {namespace} does not exist and createNamespace is false"
    return replace(change, op=Op.DENIED, reason=reason), ()


def _existing(
    scene: Scene, resource: Resource, served: ApiResource, live: JsonObject
) -> tuple[Change, tuple[str, ...]]:
    whose = scene.whose(live)
    foreign = whose.owner not in (Owner.OURS, Owner.IMPLICIT)
    against = conflict(scene, resource, live, whose) if foreign else None
    if against is not None:
        return _change(resource, Op.CONFLICT, reason=against, drift=_recorded(scene, resource)), ()
    if object_at(live, "metadata").get("deletionTimestamp"):
        leaving = being_deleted(live)
        return _change(resource, Op.DENIED, reason=leaving, drift=_recorded(scene, resource)), ()
    judged = adopt if foreign else _existing_of_ours
    return judged(scene, resource, served, live)


def _existing_of_ours(
    scene: Scene, resource: Resource, served: ApiResource, live: JsonObject
) -> tuple[Change, tuple[str, ...]]:
    manager = scene.entry.manager
    again = runs_again(resource, live)
    if again is not None:
        return run_again(scene, resource, served, again), ()
    always = scene.verify is Verify.ALWAYS
    if not always and settled(without_ignored_fields(scene, resource, live).inputs, live, manager):
        return _change(resource, Op.KEEP), ()
    sending = to_send(scene, resource, live, release=False)
    if sending.against:
        held = held_by_others(resource, sending.against)
        return replace(held, drift=_recorded(scene, resource)), ()
    as_desired = settled(sending.resource.inputs, live, manager)
    if as_desired and not always:
        return _change(resource, Op.KEEP, left=sending.left), ()
    change, warnings = _update_of_ours(scene, to_send(scene, resource, live).resource, served, live)
    if as_desired and change.op in (Op.DENIED, Op.CONFLICT):
        # Nothing would be sent for it, so what the server says against it keeps nobody from applying.
        change = _change(resource, Op.KEEP, unverified=True, reason=change.reason)
    return replace(change, left=sending.left), warnings


def _update_of_ours(
    scene: Scene, resource: Resource, served: ApiResource, live: JsonObject
) -> tuple[Change, tuple[str, ...]]:
    """``resource`` is what would be sent."""
    manager = scene.entry.manager
    whose = scene.whose(live)
    change = _update(scene, resource, live, _local_diff(resource, live, manager))
    moves = f"moves here from app {whose.app}" if whose.app not in (None, resource.app) else None
    if moves:
        change = replace(change, op=Op.MOVE, reason=moves)
    asked = ask(scene, resource, served, change)
    if isinstance(asked, Change):
        return asked, ()
    body, warnings = asked

    def ask_again() -> JsonObject | None:
        found = ask(scene, resource, served, change)
        return None if isinstance(found, Change) else found[0]

    live, body = of_one_version(scene, resource, served, live, body, ask_again)
    diff = answered_diff(live, body, manager)
    if not diff:
        noise = quiet_noise(change.diff, live, body)
        return _change(resource, Op.KEEP, noise=noise, diff=change.diff if noise else ()), warnings
    noise = noise_of(diff, live, body, manager) if change.op is Op.UPDATE else None
    diff = with_resets(diff, live, body, manager)
    if noise is not None:
        shown = mask_diff(diff) if is_secret(resource.inputs) else diff
        return _change(resource, Op.KEEP, noise=noise, diff=shown), warnings
    op = change.op if change.op is Op.UPDATE or len(diff) == 1 else Op.UPDATE
    answered = _update(scene, resource, live, diff, body)
    return replace(answered, op=op, reason=moves or answered.reason), warnings


def _local_diff(resource: Resource, live: JsonObject, manager: str) -> tuple[FieldDiff, ...]:
    fields = apply_fields(live, manager)
    gone = [
        FieldDiff(path=p, old="(set)", new=None)
        for own in own_fields(live, manager)
        for p in leftovers(own, resource.inputs)
    ]
    return (*differing(resource.inputs, live, fields), *gone)


def _update(
    scene: Scene,
    resource: Resource,
    live: JsonObject,
    diff: tuple[FieldDiff, ...],
    after: JsonObject | None = None,
) -> Change:
    before, result = _shown(live, resource.inputs if after is None else after)
    drift = _recorded(scene, resource)
    return _change(
        resource,
        Op.UPDATE,
        diff=mask_diff(diff) if is_secret(resource.inputs) else diff,
        drift=drift,
        reason=flapping(scene, resource.app, resource.ref.key, live, diff) if drift else None,
        writer=writer_of(live, diff, scene.entry.manager),
        live=before,
        result=result,
    )


def _recorded(scene: Scene, resource: Resource) -> bool:
    """Whether exactly this object was applied last time: then a difference is drift."""
    record = scene.record(resource.app)
    if record is None:
        return False
    if is_secret(resource.inputs):
        app = scene.stack_app(resource.app)
        return app is not None and record.artifact_digest == app.artifact_digest
    return record.objects.get(key_text(resource.ref.key)) == desired_digest(scene, resource)


def _shown(before: JsonObject | None, after: JsonObject) -> tuple[JsonObject | None, JsonObject | None]:
    old = visible(before) if before is not None else None
    new = visible(after)
    return mask_pair(old, new) if is_secret(after) else (old, new)
