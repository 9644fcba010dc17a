"""What a run begins with: the steps of its plan, corrected by what earlier runs left behind.

- A cluster on which everything is written already, but what is being rolled out is not Healthy, has not passed its
  wave: it is waited for before anything later is begun, as the run that wrote it would have done. Applying again
  is no way around a gate.
- What an interrupted run of the same revision has done counts as done by this one: its soak goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from fleetmgr.errors import FleetError
from fleetmgr.model.change import Plan
from fleetmgr.model.rollout import RolloutPlan, Step
from fleetmgr.operations.embedded.checking import WELL, health_in
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.walk import Walk
from fleetmgr.rollout.events import Finished, HealthSeen, Result, Started
from fleetmgr.rollout.machine import begin, observe, reclocked
from fleetmgr.rollout.state import Instant, Phase, State


def rolling_apps(plan: Plan) -> frozenset[str]:
    """Apps that this plan changes somewhere."""
    return frozenset(c.app for part in plan.clusters for c in part.changes if c.op.writes)


def ill_clusters(walk: Walk, plan: Plan, steps: RolloutPlan) -> dict[str, str]:
    """Clusters where something that is being rolled out is not well, as the plan has read them, and what.

    Only where that decides anything: before a wave that has work, and where availability is counted.
    """
    rolling = rolling_apps(plan)
    found: dict[str, str] = {}
    for number, step in enumerate(steps.steps):
        counted = step.max_unavailable is not None
        asked = (*step.unchanged, *(step.clusters if counted else ()))
        for name in asked if counted or number < _last_busy(steps) else ():
            scene = walk.scenes.get(name)
            why = _ill(scene, rolling) if scene is not None else ""
            if why:
                found[name] = why
    return found


def unproven(steps: RolloutPlan, ill: Mapping[str, str]) -> frozenset[str]:
    """Those of ``ill`` that need no change and stand before a wave with work: they are to be waited for."""
    gates = steps.steps[: max(0, _last_busy(steps))]
    return frozenset(name for step in gates for name in step.unchanged if name in ill)


def _last_busy(steps: RolloutPlan) -> int:
    return max((number for number, step in enumerate(steps.steps) if step.clusters), default=-1)


def _ill(scene: Scene, rolling: frozenset[str]) -> str:
    apps = [app.name for app in scene.stack.apps if app.name in rolling and app.name in scene.apps]
    try:
        ill = [h for h in health_in(scene, apps, scene.live) if h.status not in WELL]
    except FleetError:
        return ""  # it answered a moment ago; whoever works on it will say what is wrong
    return f"{ill[0].app} is {ill[0].status.value}" if ill else ""


def opened(
    steps: RolloutPlan,
    now: Instant,
    *,
    ill: Mapping[str, str],
    before: State | None,
    parallel: int,
) -> State:
    """The state that a run begins with: ``ill`` is what ``ill_clusters`` found, ``before`` where an earlier run of
    the same revision ended."""
    carried = _carried(steps, now, before, frozenset(ill)) if before is not None else {}
    to_do = {*unproven(steps, ill), *carried}
    steps = replace(steps, steps=tuple(_to_do(step, to_do) for step in steps.steps))
    first = min(carried.values(), default=now.monotonic)
    state = begin(steps, _earlier(now, first), parallel=None if carried else parallel)
    for name in (name for step in steps.steps for name in step.clusters if name in carried):
        at = _earlier(now, carried[name])
        state = observe(state, Started(cluster=name), at)
        state = observe(state, Finished(cluster=name, result=Result.OK), at)
    state = replace(state, parallel=parallel, seen=now)
    for name, why in ill.items():
        state = observe(state, HealthSeen(cluster=name, healthy=False, message=why), now)
    return state


def _carried(steps: RolloutPlan, now: Instant, before: State, ill: frozenset[str]) -> dict[str, float]:
    """Clusters that the earlier run was to change and that need nothing more, and since when (monotonic)."""
    earlier = reclocked(before, now)
    begun = {name for step in earlier.plan.steps for name in step.clusters}
    done = [n for step in steps.steps for n in step.unchanged if n in begun and n not in ill]
    since: dict[str, float] = {}
    latest = float("-inf")
    for name in done:  # in the order of steps, and no step was begun before the one before it was done
        member = earlier.members[name]
        at = member.since if member.phase is Phase.DONE else now.monotonic
        latest = max(latest, at)
        since[name] = latest
    return since


def _earlier(now: Instant, monotonic: float) -> Instant:
    return Instant(monotonic=monotonic, wall=now.wall)


def _to_do(step: Step, names: Iterable[str]) -> Step:
    """``step`` with these clusters among those that it works on."""
    wanted = frozenset(names)
    more = [name for name in step.unchanged if name in wanted]
    if not more:
        return step
    return replace(
        step,
        clusters=(*more, *step.clusters),
        unchanged=tuple(name for name in step.unchanged if name not in wanted),
    )


def quiet_clusters(state: State, plan: Plan) -> list[str]:
    """Clusters that answer and that nothing will be written to; those still to be waited for are left out."""
    return [
        part.cluster
        for part in plan.clusters
        if part.failure is None
        and not any(change.op.writes for change in part.changes)
        and state.members[part.cluster].phase is not Phase.PENDING
    ]
