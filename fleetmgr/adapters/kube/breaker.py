"""A cluster that stopped answering is left alone: its run fails at once instead of one timeout after the other.

Closed, requests pass. After ``TRIPS`` requests in a row without any answer it opens: nothing is sent, the last
failure is everybody's. After a pause one request passes as a probe (half-open): an answer of any kind closes the
breaker, another failure opens it for longer.
"""

from __future__ import annotations

import threading

from msgspec.structs import replace

from fleetmgr.adapters.kube.retrying import Failure, Fault
from fleetmgr.ports.clock import Clock

TRIPS = 6
FIRST_PAUSE = 10.0
LONGEST_PAUSE = 60.0
_PROBE = 60.0
"""Seconds after which a probe that never came back is taken for lost."""
_OURS = frozenset({Fault.BUSY, Fault.TOO_LARGE})
"""Failures that say nothing about the cluster."""


class Breaker:
    """One of a cluster. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        """Closed."""
        self._clock = clock
        self._lock = threading.Lock()
        self._row = 0
        self._last: Failure | None = None
        self._until = 0.0
        self._pause = 0.0
        self._probing: float | None = None
        self._answered = False

    @property
    def answered(self) -> bool:
        """Whether the cluster has ever answered us."""
        return self._answered

    def refusal(self) -> Failure | None:
        """None: send it, and ``note`` what comes. Else why it is not sent."""
        with self._lock:
            if not self._pause or self._last is None:
                return None
            now = self._clock.monotonic()
            probing = self._probing is not None and now - self._probing < _PROBE
            if now >= self._until and not probing:
                self._probing = now
                return None
            left = max(self._until - now, 0.0)
            row = f"{self._row} requests in a row had no answer, the next is sent in {left:.0f} s"
            said = f"{self._last.message}; {row}"
            return replace(self._last, fault=Fault.OPEN, message=said)

    def note(self, failure: Failure | None) -> None:
        """What came of a request that was sent; None = an answer, whatever it says."""
        with self._lock:
            self._probing = None
            if failure is None:
                self._row, self._pause, self._last, self._answered = 0, 0.0, None, True
                return
            if failure.fault in _OURS:
                return
            self._row += 1
            self._last = failure
            if self._row >= TRIPS:
                self._pause = min(self._pause * 2 or FIRST_PAUSE, LONGEST_PAUSE)
                self._until = self._clock.monotonic() + self._pause
