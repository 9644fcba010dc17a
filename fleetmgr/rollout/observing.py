"""One event into the State: what happened is kept, what may follow is left to ``machine.decide``."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.rollout.advancing import advanced
from fleetmgr.rollout.events import (
    Abort,
    Event,
    Finished,
    HealthSeen,
    OverrideWindows,
    Pause,
    Result,
    Resume,
    RollbackFinished,
    RollbackStarted,
    Started,
    Supersede,
)
from fleetmgr.rollout.judging import broken, members
from fleetmgr.rollout.state import Instant, Member, Phase, Request, State

_BACK = frozenset({Phase.DONE, Phase.FAILED, Phase.UNREACHABLE})
"""From here a cluster that was started can go back."""
_TRIED_AGAIN = frozenset({Phase.FAILED, Phase.UNREACHABLE, Phase.SKIPPED})


def observe(state: State, event: Event, now: Instant) -> State:
    """``state`` after ``event``. An event that cannot be (a cluster that is not in the plan or not in the step in
    hand, a Finished that was never Started) changes nothing: messages may arrive twice or late."""
    state = replace(advanced(state, now.monotonic), seen=now)
    match event:
        case Started() | Finished() | HealthSeen() | RollbackStarted() | RollbackFinished():
            return _of_cluster(state, event, now.monotonic)
        case _ if state.finished:
            return state
        case _:
            return _of_person(state, event, now)


def _of_cluster(
    state: State,
    event: Started | Finished | HealthSeen | RollbackStarted | RollbackFinished,
    now: float,
) -> State:
    member = state.members.get(event.cluster)
    if member is None:
        return state
    in_hand = not state.finished and event.cluster in state.current.members
    match event:
        case Started():
            return _started(state, event.cluster, now) if in_hand else state
        case RollbackStarted():
            member = _rolling_back(member) if in_hand else member
        case Finished():
            member = _finished(member, event, now)
        case HealthSeen():
            member = _seen(member, event, in_hand=in_hand)
        case RollbackFinished():
            member = _rolled_back(member, event)
    return replace(state, members={**state.members, event.cluster: member})


def _started(state: State, cluster: str, now: float) -> State:
    member = state.members[cluster]
    if member.phase is not Phase.PENDING:
        return state
    member = replace(member, phase=Phase.RUNNING, since=now, started=True, message="")
    began = now if state.began is None else state.began
    return replace(state, members={**state.members, cluster: member}, began=began)


def _rolling_back(member: Member) -> Member:
    if not member.started or member.phase not in _BACK:
        return member
    return replace(member, phase=Phase.ROLLING_BACK)


def _finished(member: Member, event: Finished, now: float) -> Member:
    if member.phase is not Phase.RUNNING:
        return member
    ended = replace(member, since=now, message=event.message, ill=event.result is not Result.OK)
    match event.result:
        case Result.OK:
            return replace(ended, phase=Phase.DONE)
        case Result.UNREACHABLE:
            return replace(ended, phase=Phase.UNREACHABLE)
        case Result.FAILED | Result.UNHEALTHY | Result.TIMED_OUT:
            return replace(ended, phase=Phase.FAILED, failed=True)


def _seen(member: Member, event: HealthSeen, *, in_hand: bool) -> Member:
    """Ill in the wave in hand after its work was done is a failure; not reachable is not."""
    well = event.healthy and event.reachable
    if member.phase is Phase.DONE and in_hand and event.reachable and not event.healthy:
        message = event.message or "no longer healthy"
        return replace(member, phase=Phase.FAILED, failed=True, ill=True, message=message)
    return replace(member, ill=not well, message=member.message if well else event.message or member.message)


def _rolled_back(member: Member, event: RollbackFinished) -> Member:
    if member.phase is not Phase.ROLLING_BACK:
        return member
    phase = Phase.ROLLED_BACK if event.ok else Phase.ROLLBACK_FAILED
    return replace(member, phase=phase, ill=not event.ok, message=event.message or member.message)


def _of_person(
    state: State, event: Pause | Resume | Abort | Supersede | OverrideWindows, now: Instant
) -> State:
    why = f"superseded by {event.by}" if isinstance(event, Supersede) else event.why
    request = Request(kind=type(event).__name__, who=event.who, why=why, at=now.wall)
    state = replace(state, requests=(*state.requests, request))
    match event:
        case Pause():
            return replace(state, paused=state.paused or request)
        case Resume():
            return _resumed(state, event, now.monotonic)
        case Abort() | Supersede():
            return replace(state, ended=state.ended or request)
        case OverrideWindows():
            return replace(state, override=request)


def _resumed(state: State, event: Resume, now: float) -> State:
    """What stopped the step no longer counts; its deadline starts anew."""
    stopped = broken(state, now) is not None
    state = replace(state, paused=None)
    if not stopped:
        return state
    changed = {
        name: _again(member, skip=event.skip_failed)
        for name, member in members(state, state.current)
        if member.phase in _TRIED_AGAIN or member.ill
    }
    return replace(state, members={**state.members, **changed}, entered=now, began=None)


def _again(member: Member, *, skip: bool) -> Member:
    if member.started and not skip and member.phase in _TRIED_AGAIN:
        return replace(member, phase=Phase.PENDING, failed=False, message="")
    return replace(member, forgiven=True)
