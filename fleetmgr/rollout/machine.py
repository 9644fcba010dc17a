"""The machine: what may be done next, given all that has happened. Clocked from outside, no I/O.

Its promises (each has a property test):

- never more than ``max_parallel`` clusters in work, never a start beyond a budget;
- never a start of a step before the one before it is done and soaked;
- every run ends with Done or Stop once work that was started has ended, whatever else happens;
- Abort always stops; what is in work is finished first;
- the order of events of different clusters of one wave does not change the verdict;
- ``from_json(to_json(state))`` decides the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from fleetmgr.model.rollout import OnFailure, RolloutPlan
from fleetmgr.model.timespan import span
from fleetmgr.rollout.advancing import advanced
from fleetmgr.rollout.decisions import Decision, Done, Rollback, Start, Stop, StopVerdict, Wait, WaitFor
from fleetmgr.rollout.judging import (
    ROLLBACK,
    broken,
    in_work,
    left,
    members,
    pending,
    rolling_back,
    settled,
    soaked_at,
    unavailable,
)
from fleetmgr.rollout.observing import observe
from fleetmgr.rollout.reasons import named, why
from fleetmgr.rollout.state import Instant, Member, Phase, State
from fleetmgr.rollout.windows import Closed, closed

__all__ = ["begin", "decide", "observe", "reclocked"]


def begin(plan: RolloutPlan, now: Instant, *, parallel: int | None = None) -> State:
    """A rollout of which nothing has happened yet. ``parallel``: clusters that the runner works on at a time; a
    Start never asks for more. Observe HealthSeen for clusters that are known to be ill."""
    found: dict[str, Member] = {}
    for step in plan.steps:
        found |= dict.fromkeys(step.clusters, Member(phase=Phase.PENDING))
        found |= dict.fromkeys(step.unchanged, Member(phase=Phase.UNCHANGED))
        found |= dict.fromkeys(step.unreachable, Member(phase=Phase.UNREACHABLE, ill=True))
        found |= dict.fromkeys(
            step.failed, Member(phase=Phase.FAILED, failed=True, ill=True, message="it could not be planned")
        )
    return State(plan=plan, members=found, step=0, entered=now.monotonic, seen=now, parallel=parallel)


def decide(state: State, now: Instant) -> Decision:
    """What to do now. Asking twice gives the same answer: only events and time change it."""
    state = advanced(state, now.monotonic)
    if state.finished:
        return Done()
    if state.ended is None and (rolling_back(state) or _goes_back(state, now)):
        return _roll_back(state, now)
    verdict = _stopping(state, now)
    if verdict is not None:
        return _after_work(state) or Stop(verdict=verdict, why=why(state, verdict), left=left(state))
    if settled(state):
        return _soak(state)
    return _next(state, now)


def reclocked(state: State, now: Instant) -> State:
    """``state`` as another process reads it, whose monotonic clock has another origin: what passed meanwhile by
    the wall clock counts (a wall clock that went back counts as nothing passed)."""
    passed = max(0.0, (now.wall - state.seen.wall).total_seconds())
    shift = now.monotonic - passed - state.seen.monotonic
    return replace(
        state,
        members={n: replace(m, since=m.since + shift) for n, m in state.members.items()},
        entered=state.entered + shift,
        began=None if state.began is None else state.began + shift,
        seen=Instant(monotonic=state.seen.monotonic + shift, wall=state.seen.wall),
    )


def _stopping(state: State, now: Instant) -> StopVerdict | None:
    """Whether nothing new may be begun, and as what the rollout ends once nothing is in work."""
    if state.ended is not None:
        return StopVerdict.SUPERSEDED if state.ended.kind == "Supersede" else StopVerdict.ABORTED
    return StopVerdict.PAUSED if state.paused is not None else broken(state, now.monotonic)


def _after_work(state: State) -> Wait | None:
    working = in_work(state)
    return Wait(reason=WaitFor.WORK, why=f"{named(working)} in work") if working else None


def _goes_back(state: State, now: Instant) -> bool:
    """Whether the wave is to be rolled back, and there is anything to roll back."""
    if state.paused is not None or state.current.on_failure is not OnFailure.ROLLBACK:
        return False
    verdict = broken(state, now.monotonic)
    return verdict in (StopVerdict.FAILED, StopVerdict.DEADLINE) and bool(_to_go_back(state))


def _to_go_back(state: State) -> tuple[str, ...]:
    found = members(state, state.current)
    return tuple(
        n for n, m in found if m.started and m.phase not in ROLLBACK and m.phase is not Phase.PENDING
    )


def _roll_back(state: State, now: Instant) -> Decision:
    """First everything in work ends, then all that was begun goes back, ``max_parallel`` at a time."""
    running = [n for n in in_work(state) if state.members[n].phase is Phase.RUNNING]
    room = _room(state)
    waiting = _to_go_back(state)
    if waiting and not running and room != 0:
        verdict = broken(state, now.monotonic) or StopVerdict.FAILED
        return Rollback(clusters=waiting[:room], why=why(state, verdict))
    if working := _after_work(state):
        return working
    lost = [n for n, m in members(state, state.current) if m.phase is Phase.ROLLBACK_FAILED]
    verdict = StopVerdict.ROLLBACK_FAILED if lost else StopVerdict.ROLLED_BACK
    return Stop(verdict=verdict, why=why(state, verdict), left=left(state))


def _soak(state: State) -> Wait:
    step = state.current
    watch = tuple(n for n in step.clusters if state.members[n].phase is Phase.DONE)
    reason = f"{step.name} must stay healthy for {span(step.soak)}"
    return Wait(reason=WaitFor.SOAK, why=reason, until=soaked_at(state), watch=watch)


def _room(state: State) -> int | None:
    """Clusters that may be begun besides those in work; None: any number."""
    limits = [n for n in (state.current.max_parallel, state.parallel) if n is not None]
    return max(0, max(1, min(limits)) - len(in_work(state))) if limits else None


def _slack(state: State) -> int | None:
    """Healthy clusters that may become unavailable; None: any number. A budget of 0 is one of 1: the cluster in
    work counts, and a rollout that may never begin one would never end."""
    limit = state.current.max_unavailable
    return None if limit is None else max(0, max(1, limit) - len(unavailable(state)))


def _next(state: State, now: Instant) -> Decision:
    """Begin what may be begun. What is ill already can be begun at no cost to the budget: it may mend it."""
    room, slack = _room(state), _slack(state)
    chosen: list[str] = []
    shut: list[Closed] = []
    for name in pending(state):
        if room is not None and len(chosen) >= room:
            break
        ill = state.members[name].ill
        if not ill and slack == 0:
            continue
        window = None if state.override else closed(state.current.windows, name, now.wall)
        if window is not None:
            shut.append(window)
            continue
        chosen.append(name)
        slack = slack if ill or slack is None else slack - 1
    if chosen:
        return Start(clusters=tuple(chosen))
    return _held(state, now, shut)


def _held(state: State, now: Instant, shut: Sequence[Closed]) -> Decision:
    """Clusters are pending and none may be begun."""
    opens = _first(shut)
    until = None if opens is None else now.monotonic + (opens - now.wall).total_seconds()
    if working := _after_work(state):
        return replace(working, until=until)
    step = state.current
    over = None if step.deadline is None else (state.entered if state.began is None else state.began)
    deadline = None if over is None or step.deadline is None else over + step.deadline
    if shut:
        return _window(state, shut, opens, _sooner(until, deadline if state.began is not None else None))
    if deadline is None or now.monotonic >= deadline:
        verdict = StopVerdict.UNAVAILABLE
        return Stop(verdict=verdict, why=why(state, verdict), left=left(state))
    ill = unavailable(state)
    return Wait(reason=WaitFor.HEALTH, why=why(state, StopVerdict.UNAVAILABLE), until=deadline, watch=ill)


def _window(state: State, shut: Sequence[Closed], opens: datetime | None, until: float | None) -> Decision:
    reason = next(c.why for c in shut if c.opens == opens)
    if opens is None and until is None:
        return Stop(
            verdict=StopVerdict.CLOSED, why=f"{reason}: it does not open within a year", left=left(state)
        )
    return Wait(reason=WaitFor.WINDOW, why=reason, until=until, opens=opens)


def _first(shut: Sequence[Closed]) -> datetime | None:
    """The earliest; times of one zone would be compared by their wall time, which may come twice."""
    return min((c.opens for c in shut if c.opens), key=lambda time: time.astimezone(UTC), default=None)


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((n for n in (one, other) if n is not None), default=None)
