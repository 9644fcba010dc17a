"""Plan and fleet -> the steps of its rollout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from fleetmgr.model.change import ClusterPlan, ClusterStatus, Op, Plan
from fleetmgr.model.rollout import (
    AppWindows,
    EnvironmentRollout,
    FleetRollout,
    RolloutPlan,
    Step,
    Wave,
    Window,
)

_BLOCKED = frozenset({Op.CONFLICT, Op.DENIED})


def rollout_plan(plan: Plan, fleet: FleetRollout) -> RolloutPlan:
    """The steps of ``plan``: environments in the order of the fleet, waves inside one, clusters in the order of
    their wave. ``fleet`` is ``expansion.fleet_rollout(loaded)``.

    An environment of which the plan has no cluster has no steps; otherwise each of its waves is one, also when
    the plan has nothing in it. Clusters where every app is blocked by a conflict count as failed: there is
    nothing to start.
    """
    parts = {part.cluster: part for part in plan.clusters}
    steps = [
        _step(rollout, wave, parts, fleet.apps)
        for rollout in fleet.environments
        if any(name in parts for wave in rollout.waves for name in wave.clusters)
        for wave in rollout.waves
    ]
    totals = {r.environment: sum(len(w.clusters) for w in r.waves) for r in fleet.environments}
    return RolloutPlan(plan_id=plan.id, revision=plan.revision, steps=tuple(steps), totals=totals)


def _step(
    rollout: EnvironmentRollout, wave: Wave, parts: Mapping[str, ClusterPlan], apps: tuple[AppWindows, ...]
) -> Step:
    kinds: dict[str, list[str]] = {"clusters": [], "unchanged": [], "unreachable": [], "failed": []}
    for name in wave.clusters:
        if name in parts:
            kinds[_kind(parts[name])].append(name)
    begun = {name: parts[name] for name in kinds["clusters"]}
    return Step(
        environment=rollout.environment,
        wave=wave.name,
        clusters=tuple(begun),
        unchanged=tuple(kinds["unchanged"]),
        unreachable=tuple(kinds["unreachable"]),
        failed=tuple(kinds["failed"]),
        soak=rollout.soak,
        max_parallel=rollout.max_parallel,
        max_unavailable=rollout.max_unavailable,
        max_failures=rollout.max_failures,
        deadline=rollout.deadline,
        on_failure=rollout.on_failure,
        windows=tuple(_windows(rollout, begun, apps)),
        declared=rollout.declared,
    )


def _kind(part: ClusterPlan) -> str:
    if part.status is ClusterStatus.UNREACHABLE:
        return "unreachable"
    if part.failure is not None or part.status is ClusterStatus.ERROR:
        return "failed"
    if any(change.op.writes for change in part.changes):
        return "clusters"
    return "failed" if any(change.op in _BLOCKED for change in part.changes) else "unchanged"


def _windows(
    rollout: EnvironmentRollout, begun: Mapping[str, ClusterPlan], apps: tuple[AppWindows, ...]
) -> Iterator[Window]:
    """Those of the environment, those of clusters to be started, those of apps that the plan changes there."""
    if not begun:
        return
    yield from (w for w in rollout.windows if w.clusters is None or any(c in begun for c in w.clusters))
    for app in apps:
        on = tuple(name for name, part in begun.items() if _changes(part, app.app))
        if on:
            yield from (replace(window, clusters=on) for window in app.windows)


def _changes(part: ClusterPlan, app: str) -> bool:
    return any(change.app == app and change.op.writes for change in part.changes)
