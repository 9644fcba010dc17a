"""Watches that say when to look again, so that waiting costs a request a change and not one a second.

An event only rings: what is there is read as always, so a lost or repeated event changes nothing. A kind that may
not be watched, or whose watch ends at once, is looked at every time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import ApiResource, ClusterClient
from fleetmgr.ports.cluster_errors import ClusterError

_WATCH = 60.0
"""Seconds of one watch; what is left of the last one after the wait, its (daemon) thread lingers."""
_FIRST = 0.3
"""Seconds that the first answers may take before the wait begins."""
_TOO_SHORT = 1.0


class Doorbell:
    """One thread a kind; ``close`` it."""

    def __init__(
        self, client: ClusterClient, kinds: Sequence[ApiResource], *, selector: str, clock: Clock
    ) -> None:
        """Start to watch all objects of ``kinds`` that ``selector`` selects."""
        self._clock = clock
        self._client = client
        self._selector = selector
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._deaf = threading.Event()
        begun = [threading.Event() for _ in kinds]
        for kind, first in zip(kinds, begun, strict=True):
            threading.Thread(target=self._listen, args=(kind, first), daemon=True).start()
        for first in begun:
            first.wait(_FIRST / len(begun))

    def rang(self) -> bool:
        """Whether something may have changed since the last time this was asked."""
        rung = self._rung.is_set()
        self._rung.clear()
        return rung or self._deaf.is_set()

    def close(self) -> None:
        """Listen no longer."""
        self._closed.set()

    def _listen(self, kind: ApiResource, first: threading.Event) -> None:
        try:
            while not self._closed.is_set():
                if not self._hear(kind, first):
                    break
        except ClusterError:
            pass  # looking says what is wrong with the cluster; only watching may be forbidden as well
        self._deaf.set()
        first.set()

    def _hear(self, kind: ApiResource, first: threading.Event) -> bool:
        """One watch; false when it ended too soon to be one."""
        began = self._clock.monotonic()
        for _ in self._client.watch(kind, selector=self._selector, timeout=_WATCH):
            self._rung.set()
            first.set()
            if self._closed.is_set():
                return True
        return self._clock.monotonic() - began >= _TOO_SHORT
