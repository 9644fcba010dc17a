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

from fleetmgr.model.rollout import RolloutPlan
from fleetmgr.rollout.decisions import Decision
from fleetmgr.rollout.events import Event
from fleetmgr.rollout.state import Instant, State


def begin(plan: RolloutPlan, now: Instant) -> State:
    """A rollout of which nothing has happened yet. Observe HealthSeen for clusters that are known to be ill."""
    raise NotImplementedError


def observe(state: State, event: Event, now: Instant) -> State:
    """``state`` after ``event``. An event that cannot be (a cluster that is not in the plan, a Finished that was
    never Started) changes nothing: messages may arrive twice or late."""
    raise NotImplementedError


def decide(state: State, now: Instant) -> Decision:
    """What to do now. Asking twice gives the same answer: only events change the State."""
    raise NotImplementedError


def reclocked(state: State, now: Instant) -> State:
    """``state`` as another process reads it, whose monotonic clock has another origin: what passed meanwhile by
    the wall clock counts (a wall clock that went back counts as nothing passed)."""
    raise NotImplementedError
