"""Events of a run in words: what each is about, and what happened."""

from __future__ import annotations

from typing import assert_never

from fleetmgr.errors import ExitCode
from fleetmgr.model.event import (
    ClusterEvent,
    ClusterFinished,
    ClusterStarted,
    Event,
    LockAwaited,
    ObjectChanged,
    ObjectFailed,
    RolloutStopped,
    Soaking,
    Waiting,
    WaveStarted,
    step_name,
)
from fleetmgr.model.timespan import span
from fleetmgr.reporting.apply_text import PAST
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.wording import code_name, names


def subject(event: Event) -> str:
    """What an event is about: a cluster, a wave, the rollout."""
    match event:
        case WaveStarted() | Soaking():
            return step_name(event)
        case RolloutStopped():
            return f"rollout {event.rollout}" if event.rollout else "rollout"
        case _:
            return event.cluster


def sentence(event: Event) -> str:
    """An event in words, without what it is about."""
    match event:
        case WaveStarted():
            return f"step {event.number} of {event.of} begins: {names(event.clusters)}"
        case Soaking():
            return f"all done, must stay healthy for {span(event.seconds)}"
        case RolloutStopped():
            return f"{event.status}: {visible(event.why)}"
        case _:
            return _of_cluster(event)


def _of_cluster(event: ClusterEvent) -> str:
    match event:
        case ClusterStarted():
            return f"{event.phase} started"
        case ObjectChanged():
            return f"{PAST.get(event.op, event.op.value)} {visible(event.ref.short)}"
        case ObjectFailed():
            return f"failed {visible(event.ref.short)}: {visible(event.problem.message)}"
        case Waiting():
            message = f": {visible(event.message)}" if event.message else ""
            return f"waiting for {visible(event.app)}, {event.ready} of {event.total} ready{message}"
        case LockAwaited():
            return f"waiting for the lease of {visible(event.holder)}"
        case ClusterFinished():
            how = "finished" if event.exit_code is ExitCode.OK else code_name(event.exit_code)
            return (
                f"{event.phase} {how}: {visible(event.summary)}" if event.summary else f"{event.phase} {how}"
            )
        case _:
            assert_never(event)
