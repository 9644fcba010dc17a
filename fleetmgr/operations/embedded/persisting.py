"""Trying again what a cluster refused for a moment, by the app's own rule (``retry``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fleetmgr.errors import FleetError
from fleetmgr.model.policy import Retry
from fleetmgr.operations.embedded.run import Run
from fleetmgr.operations.embedded.write import NotServedYet
from fleetmgr.ports.cluster_errors import ApiRejected, Unreachable

Out = TypeVar("Out")
MOMENTARY = frozenset({"WebhookFailed", "NamespaceTerminating"})
"""Reasons of refusals that pass by themselves."""
_SLICE = 1.0
"""Seconds after which a stop is noticed."""


def persistently(run: Run, app: str, work: Callable[[], Out]) -> Out:
    """``work``, again where the cluster answered that it cannot right now, as often as the app allows.

    ``work`` is fenced, so doing it twice does no more than once. A cluster that does not answer at all is no case for
    this: the transport has tried, and its breaker spares the others. Raises what the last attempt raised.
    """
    current = run.scene.stack_app(app)
    retry = current.policy.retry if current is not None else Retry()
    attempt = 0
    while True:
        try:
            return work()
        except FleetError as error:
            if attempt >= retry.limit or not momentary(error) or not _paused(run, retry.pause(attempt)):
                raise
        attempt += 1


def momentary(error: FleetError) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(error, Unreachable):
        return error.answered
    if isinstance(error, NotServedYet):
        return True
    return isinstance(error, ApiRejected) and error.reason in MOMENTARY


def _paused(run: Run, seconds: float) -> bool:
    """Sleep; false when somebody asks the run to stop meanwhile."""
    until = run.clock.monotonic() + seconds
    while not run.stop.is_set():
        left = until - run.clock.monotonic()
        if left <= 0:
            return True
        run.clock.sleep(min(left, _SLICE))
    return False
