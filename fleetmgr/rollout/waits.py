"""What the way of a change through the fleet makes a cluster wait for: earlier steps, windows, remembered rollouts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from fleetmgr.model.rollout import Obstacle, ObstacleKind, OnFailure, RolloutPlan, Step
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.model.timespan import span
from fleetmgr.model.waiting import Wait, WaitKind, WaitState
from fleetmgr.rollout.decisions import Start, Stop, WaitFor
from fleetmgr.rollout.decisions import Wait as Pause
from fleetmgr.rollout.machine import decide, reclocked
from fleetmgr.rollout.reasons import named
from fleetmgr.rollout.record import RolloutRecord
from fleetmgr.rollout.state import Instant, Phase

_HOLDING = frozenset({Phase.PENDING, Phase.RUNNING, Phase.ROLLING_BACK})


def planned_waits(plan: RolloutPlan, cluster: str) -> Iterator[Wait]:
    """What ``cluster`` would wait for in an apply of ``plan`` (with its outlook); nothing where it has no changes."""
    at = next((i for i, step in enumerate(plan.steps) if cluster in step.clusters), None)
    if at is None:
        return
    own = plan.steps[at]
    for step in plan.steps[:at]:
        if step.clusters:
            yield _first(step, own)
    told: set[str] = set()
    for obstacle in plan.obstacles:
        if _holds(plan, obstacle, at, cluster) and obstacle.why not in told:
            told.add(obstacle.why)
            yield _obstacle(obstacle)


def _first(step: Step, own: Step) -> Wait:
    same = step.environment == own.environment
    soak = f", then healthy for {span(step.soak)}" if step.soak else ""
    go = "goes" if len(step.clusters) == 1 else "go"
    return Wait(
        kind=WaitKind.WAVE if same else WaitKind.ENVIRONMENT,
        on=step.name,
        state=WaitState.IN_ORDER,
        why=f"{named(step.clusters)} {go} first{soak}",
    )


def _holds(plan: RolloutPlan, obstacle: Obstacle, at: int, cluster: str) -> bool:
    """Whether an obstacle is on the way of a cluster of step ``at``."""
    where = [(step.environment, step.wave) for step in plan.steps]
    place = where.index((obstacle.environment, obstacle.wave))
    if place > at:
        return False
    own = plan.steps[at]
    if place == at and obstacle.kind is ObstacleKind.WINDOW:
        return cluster in obstacle.clusters
    if place == at and obstacle.kind is ObstacleKind.FAILED:
        return own.max_failures is not None
    return place == at or plan.steps[place].on_failure is not OnFailure.CONTINUE


def _obstacle(obstacle: Obstacle) -> Wait:
    window = obstacle.kind is ObstacleKind.WINDOW
    opens = obstacle.opens.astimezone(UTC) if obstacle.opens is not None else None
    return Wait(
        kind=WaitKind.WINDOW if window else WaitKind.WAVE,
        on=f"{obstacle.environment} / {obstacle.wave}" if obstacle.wave else obstacle.environment,
        state=WaitState.WAITING if opens is not None else WaitState.STUCK,
        why=f"{obstacle.why} (never opens within a year)" if window and opens is None else obstacle.why,
        hint="`fleet apply --wait-for-windows` waits for it" if opens is not None else "",
        until=_rfc3339(opens) if opens is not None else "",
    )


def remembered_wait(record: RolloutRecord, cluster: str, now: Instant) -> Wait | None:
    """What a rollout that is not over makes a cluster of it wait for; None where it is through with that cluster."""
    member = record.state.members.get(cluster)
    if record.over or member is None or member.phase not in _HOLDING:
        return None
    if record.status is not RolloutStatus.RUNNING:
        why = record.why or record.status.value
        hint = f"`fleet rollout resume {record.id}` goes on, `fleet rollout abort {record.id} --reason ...` ends it"
        return _of_rollout(record, WaitState.STUCK, why, hint=hint)
    if member.phase is not Phase.PENDING:
        return _of_rollout(record, WaitState.WAITING, "it is in work here")
    return _running(record, cluster, now)


def _running(record: RolloutRecord, cluster: str, now: Instant) -> Wait:
    """What the machine would have a run wait for, before it begins ``cluster``."""
    decision = decide(reclocked(record.state, now), now)
    match decision:
        case Pause():
            ends = decision.until if decision.reason in (WaitFor.SOAK, WaitFor.WINDOW) else None
            until = None if ends is None else now.wall + timedelta(seconds=ends - now.monotonic)
            return _of_rollout(
                record, WaitState.WAITING, decision.why, until="" if until is None else _rfc3339(until)
            )
        case Stop():
            return _of_rollout(record, WaitState.STUCK, decision.why)
        case Start() if cluster in decision.clusters:
            return _of_rollout(record, WaitState.IN_ORDER, "its turn has come")
        case _:
            at = record.state.current.name if not record.state.finished else "its end"
            return _of_rollout(record, WaitState.WAITING, f"it is at {at}")


def _of_rollout(
    record: RolloutRecord, state: WaitState, why: str, *, hint: str = "", until: str = ""
) -> Wait:
    return Wait(kind=WaitKind.ROLLOUT, on=record.id, state=state, why=why, hint=hint, until=until)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
