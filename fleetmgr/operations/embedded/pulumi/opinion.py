"""What Pulumi says of our plan before anything is done: what it would refuse, and what it would do otherwise.

Our live read has decided what is to change. Pulumi's own preview, with refresh, sees what only it knows: its state,
its provider's lists of fields that it replaces objects for, policy packs. An object that it would delete and create
where an update is enough is refused, never replaced because of the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from fleetmgr.model.change import PULUMI, Change, ClusterPlan, ClusterStatus, Op
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.live import in_parallel
from fleetmgr.operations.embedded.pulumi.state import held, stack_of, urn_of
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.sending import to_send
from fleetmgr.ports.pulumi import Outcome, Request, StateResource, Step, StepOp
from fleetmgr.ports.pulumi_errors import PulumiError
from fleetmgr.ports.stop import Stop

_ASKED = frozenset({Op.CREATE, Op.UPDATE, Op.MOVE})
"""Adoptions, replacements and hooks are ours; deletes hold nothing that a preview could refuse."""


def opinion(scene: Scene, plan: ClusterPlan, *, stop: Stop, whole: bool) -> ClusterPlan:
    """``plan`` as Pulumi would perform it. With ``whole``, what is as desired is asked about too.

    Raises PulumiError.
    """
    stack = scene.pulumi
    if stack is None:
        return plan
    known = held(stack.state())
    changes = {c.ref.key: c for c in plan.changes if c.op in _ASKED and c.ref.key in scene.resources}
    if whole:
        kept = (c for c in plan.changes if c.op is Op.KEEP and c.ref.key in scene.live)
        changes |= {c.ref.key: c for c in kept if c.ref.key in scene.resources and c.ref.key in known}
    plan = replace(plan, engine=PULUMI)
    if not changes:
        return plan
    outcome = stack.preview(_request(scene, known, changes), stop=stop)
    if outcome.failure is not None and not any(step.problem for step in outcome.steps):
        raise PulumiError(outcome.failure.message, where=outcome.failure.where, hint=outcome.failure.hint)
    return _judged(scene, plan, changes, outcome)


def _request(
    scene: Scene, known: Mapping[ObjectKey, StateResource], changes: Mapping[ObjectKey, Change]
) -> Request:
    sent = in_parallel(lambda key: _sent(scene, changes[key]), list(changes))
    return Request(
        stack=stack_of(scene, sent, known),
        targets=tuple(urn_of(scene, r) for r in sent),
    )


def _sent(scene: Scene, change: Change) -> Resource:
    resource = scene.resources[change.ref.key]
    return to_send(scene, resource, scene.live.get(change.ref.key), release=change.op is not Op.KEEP).resource


def _judged(
    scene: Scene, plan: ClusterPlan, asked: Mapping[ObjectKey, Change], outcome: Outcome
) -> ClusterPlan:
    by_urn = {urn_of(scene, scene.resources[key]): key for key in asked}
    steps = {by_urn[step.urn]: step for step in outcome.steps if step.urn in by_urn}
    changes = tuple(
        _as_pulumi_would(change, steps[change.ref.key]) if change.ref.key in steps else change
        for change in plan.changes
    )
    status = ClusterStatus.CHANGED if any(c.op.writes for c in changes) else ClusterStatus.UNCHANGED
    said = (*plan.warnings, *outcome.warnings, *_otherwise(asked, steps.items()))
    return replace(plan, changes=changes, status=status, warnings=tuple(sorted(set(said))))


def _as_pulumi_would(change: Change, step: Step) -> Change:
    if step.problem is not None and change.op is not Op.KEEP:
        return replace(change, op=Op.DENIED, reason=f"Pulumi refuses it: {step.problem.message}")
    if step.op is StepOp.REPLACE and change.op in (Op.UPDATE, Op.MOVE):
        fields = ", ".join(step.fields) or "a field that its provider replaces objects for"
        return replace(
            change,
            op=Op.DENIED,
            reason=f"Pulumi would delete and create it ({fields}), though the cluster takes it as an update; "
            "apply it with --engine embedded",
        )
    return change


def _otherwise(asked: Mapping[ObjectKey, Change], steps: Iterable[tuple[ObjectKey, Step]]) -> Iterable[str]:
    """What Pulumi sees where we see nothing to do: plain ``pulumi up`` would write it."""
    for key, step in steps:
        change = asked[key]
        if change.op is Op.KEEP and step.problem is None and step.op is not StepOp.SAME:
            fields = f" ({', '.join(step.fields)})" if step.fields else ""
            yield f"{change.ref.short} is as desired; Pulumi alone would {step.op.value} it{fields}"
