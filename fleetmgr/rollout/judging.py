"""Questions about a State: what is in work, what failed, whether the wave in hand may go on. Nothing changes here."""

from __future__ import annotations

from collections.abc import Iterator

from fleetmgr.model.rollout import OnFailure, Step
from fleetmgr.rollout.decisions import StopVerdict
from fleetmgr.rollout.state import Member, Phase, State

_IN_WORK = frozenset({Phase.RUNNING, Phase.ROLLING_BACK})
_OPEN = frozenset({Phase.PENDING, Phase.RUNNING})
ROLLBACK = frozenset({Phase.ROLLING_BACK, Phase.ROLLED_BACK, Phase.ROLLBACK_FAILED})


def members(state: State, step: Step) -> Iterator[tuple[str, Member]]:
    """The clusters of ``step``, those to be started first."""
    return ((name, state.members[name]) for name in step.members)


def in_work(state: State) -> tuple[str, ...]:
    """Clusters that somebody works on: of the step in hand only, in order."""
    if state.finished:
        return ()
    return tuple(name for name in state.current.clusters if state.members[name].phase in _IN_WORK)


def pending(state: State) -> tuple[str, ...]:
    """Clusters of the step in hand that are still to be started, in order."""
    return tuple(n for n in state.current.clusters if state.members[n].phase is Phase.PENDING)


def left(state: State) -> tuple[str, ...]:
    """Clusters of the step in hand and of all later ones that were never started, in order."""
    rest = (name for step in state.plan.steps[state.step :] for name in step.clusters)
    return tuple(name for name in rest if not state.members[name].started)


def settled(state: State) -> bool:
    """Whether nothing of the step in hand is to be started or in work."""
    return not any(state.members[name].phase in _OPEN for name in state.current.clusters)


def settled_at(state: State) -> float | None:
    """When the last work of the step in hand ended; None when none was ever begun."""
    ends = [state.members[n].since for n in state.current.clusters if state.members[n].started]
    return max(ends, default=None)


def soaked_at(state: State) -> float:
    """When the settled step in hand is over: at once where nothing was started."""
    end = settled_at(state)
    return state.entered if end is None else end + state.current.soak


def failures(state: State) -> tuple[str, ...]:
    """Failed clusters of the environment in hand, up to and with the step in hand, that still count."""
    environment = state.current.environment
    steps = (s for s in state.plan.steps[: state.step + 1] if s.environment == environment)
    return tuple(name for step in steps for name, member in members(state, step) if _counts(member))


def failures_here(state: State) -> tuple[str, ...]:
    """Failed clusters of the step in hand that still count."""
    return tuple(name for name, member in members(state, state.current) if _counts(member))


def _counts(member: Member) -> bool:
    return member.failed and not member.forgiven


def unavailable(state: State) -> tuple[str, ...]:
    """Clusters of the environment in hand that are not healthy, or in work and so may not be."""
    environment = state.current.environment
    steps = (s for s in state.plan.steps if s.environment == environment)
    return tuple(name for step in steps for name, m in members(state, step) if m.ill or m.phase in _IN_WORK)


def late(state: State, now: float) -> bool:
    """Whether the step in hand took, or takes, longer than its deadline."""
    deadline, began = state.current.deadline, state.began
    if deadline is None or began is None:
        return False
    if not settled(state):
        return now >= began + deadline
    end = settled_at(state)
    return end is not None and end > began + deadline


def broken(state: State, now: float) -> StopVerdict | None:
    """Why nothing more of the step in hand may be started and the next not come to hand; None: all is well.

    With ``onFailure: continue`` nothing breaks a step.
    """
    step = state.current
    if step.on_failure is OnFailure.CONTINUE:
        return None
    if step.max_failures is None:
        if failures_here(state) and settled(state):
            return StopVerdict.FAILED
    elif len(failures(state)) > step.max_failures:
        return StopVerdict.FAILED
    if late(state, now):
        return StopVerdict.DEADLINE
    return StopVerdict.UNPROVEN if _unproven(state) else None


def _unproven(state: State) -> bool:
    """A wave that was to prove something and of which no cluster could be reached."""
    step = state.current
    more = any(later.clusters for later in state.plan.steps[state.step + 1 :])
    if not (step.declared and more and settled(state)):
        return False
    found = [m for _, m in members(state, step) if not m.forgiven]
    proven = any(m.phase in (Phase.DONE, Phase.UNCHANGED) and not m.ill for m in found)
    return not proven and any(m.ill and m.phase is not Phase.FAILED for m in found)


def rolling_back(state: State) -> bool:
    """Whether the step in hand is on its way back."""
    return any(member.phase in ROLLBACK for _, member in members(state, state.current))
