"""What time alone does to a rollout: steps that are done and soaked give way to the next."""

from __future__ import annotations

from msgspec.structs import replace

from fleetmgr.model.rollout import OnFailure
from fleetmgr.rollout.judging import broken, in_work, late, pending, rolling_back, settled, soaked_at
from fleetmgr.rollout.state import Phase, State


def advanced(state: State, now: float) -> State:
    """``state`` at ``now`` (monotonic seconds), if nothing has happened since; an ended rollout stays where it was.

    The moment at which a step came to hand is computed, so that it does not depend on when anybody asked.
    """
    while not state.finished and state.ended is None and not rolling_back(state):
        state = _skip_late(state, now)
        if not settled(state) or broken(state, now) or now < soaked_at(state):
            return state
        over = max(state.entered, soaked_at(state))
        state = replace(state, step=state.step + 1, entered=over, began=None)
    return state


def _skip_late(state: State, now: float) -> State:
    """With ``onFailure: continue``, what was not begun within the deadline is left behind."""
    if state.current.on_failure is not OnFailure.CONTINUE or in_work(state) or not late(state, now):
        return state
    skipped = {
        name: replace(state.members[name], phase=Phase.SKIPPED, failed=True, message="not begun in time")
        for name in pending(state)
    }
    return replace(state, members={**state.members, **skipped}) if skipped else state
