"""Why a rollout stands where it stands, as clauses for people."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.model.enumeration import counted, listed
from fleetmgr.model.timespan import span
from fleetmgr.rollout.decisions import StopVerdict
from fleetmgr.rollout.judging import failures, failures_here, members, unavailable
from fleetmgr.rollout.state import Phase, Request, State

_NAMED = 3


def why(state: State, verdict: StopVerdict) -> str:
    """The reason of a Stop or a Rollback in the step in hand."""
    match verdict:
        case StopVerdict.PAUSED | StopVerdict.ABORTED:
            return _asked(verdict.value, state.paused if verdict is StopVerdict.PAUSED else state.ended)
        case StopVerdict.SUPERSEDED:
            return state.ended.why if state.ended else verdict.value
        case StopVerdict.CLOSED:
            return "a window is closed"
        case StopVerdict.UNAVAILABLE:
            return _unavailable(state)
        case _:
            return _of_wave(state, verdict)


def named(clusters: Sequence[str]) -> str:
    """``prod-1, prod-2, prod-3 and 4 more``."""
    return listed(clusters, limit=_NAMED)


def _of_wave(state: State, verdict: StopVerdict) -> str:
    step = state.current
    match verdict:
        case StopVerdict.DEADLINE:
            return f"{step.name} was not done within {span(step.deadline or 0)}"
        case StopVerdict.UNPROVEN:
            return f"no cluster of {step.name} could be reached, so it proves nothing"
        case StopVerdict.ROLLED_BACK:
            return f"{step.name} went back to its previous revision: {_failed(state)}"
        case StopVerdict.ROLLBACK_FAILED:
            lost = [n for n, m in members(state, step) if m.phase is Phase.ROLLBACK_FAILED]
            return f"{named(lost)} of {step.name} could not go back to the previous revision"
        case _:
            return _failed(state)


def _failed(state: State) -> str:
    """``2 clusters failed in prod (prod-2, prod-4), 1 is tolerated``."""
    step = state.current
    if step.max_failures is None:
        here = failures_here(state)
        return f"{counted(len(here), 'cluster')} failed in {step.name} ({named(here)})"
    found = failures(state)
    tolerated = "1 is tolerated" if step.max_failures == 1 else f"{step.max_failures} are tolerated"
    return f"{counted(len(found), 'cluster')} failed in {step.environment} ({named(found)}), {tolerated}"


def _unavailable(state: State) -> str:
    step = state.current
    found = unavailable(state)
    is_are = "is" if len(found) == 1 else "are"
    limit = f"maxUnavailable is {step.max_unavailable}"
    return f"{counted(len(found), 'cluster')} of {step.environment} {is_are} not healthy ({named(found)}), {limit}"


def _asked(what: str, request: Request | None) -> str:
    if request is None:
        return what
    return f"{what} by {request.who}{f': {request.why}' if request.why else ''}"
