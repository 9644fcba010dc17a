"""Watches that say when to look again, so that waiting costs a request a change and not one a second.

An event only rings: what is there is read as always, so a lost or repeated event changes nothing. A kind that may
not be watched, or whose watch ends at once, is looked at every time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectKey, ref_of
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import ApiResource, ClusterClient, WatchEvent, WatchStream
from fleetmgr.ports.cluster_errors import ClusterError

_WATCH = 60.0
"""Seconds of one watch."""
_FIRST = 0.3
"""Seconds that the first answers may take before the wait begins."""
_TOO_SHORT = 1.0
_ENDING = 1.0
"""Seconds that the threads may take to end."""
_JOB = "Job"


class Doorbell:
    """One thread a kind; ``close`` it."""

    def __init__(self, client: ClusterClient, *, selector: str, clock: Clock) -> None:
        """Hears of objects that ``selector`` selects, of the kinds that it is told to listen to."""
        self._clock = clock
        self._client = client
        self._selector = selector
        self._rung = threading.Event()
        self._closed = threading.Event()
        self._deaf = threading.Event()
        self._lock = threading.Lock()
        self._streams: set[WatchStream] = set()
        self._threads: dict[ApiResource, threading.Thread] = {}
        self._last: dict[ObjectKey, JsonObject] = {}

    def listen(self, kinds: Sequence[ApiResource]) -> None:
        """Watch these kinds too, from now on."""
        new = [kind for kind in kinds if kind not in self._threads]
        begun = [threading.Event() for _ in new]
        for kind, first in zip(new, begun, strict=True):
            thread = threading.Thread(target=self._listen, args=(kind, first), daemon=True)
            self._threads[kind] = thread
            thread.start()
        for first in begun:
            first.wait(_FIRST / len(begun))

    def rang(self) -> bool:
        """Whether something may have changed since the last time this was asked."""
        rung = self._rung.is_set()
        self._rung.clear()
        return rung or self._deaf.is_set()

    def last(self, key: ObjectKey) -> JsonObject | None:
        """The last that was heard of a Job, also when it is gone."""
        return self._last.get(key)

    def close(self) -> None:
        """Listen no longer: every watch is cut off and its thread ends."""
        self._closed.set()
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.cancel()
        for thread in self._threads.values():
            thread.join(_ENDING)

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
        stream = self._client.watch(kind, selector=self._selector, timeout=_WATCH)
        with self._lock:
            self._streams.add(stream)
        try:
            for event in stream:
                self._keep(event)
                self._rung.set()
                first.set()
                if self._closed.is_set():
                    return True
        finally:
            with self._lock:
                self._streams.discard(stream)
            stream.close()
        return self._clock.monotonic() - began >= _TOO_SHORT

    def _keep(self, event: WatchEvent) -> None:
        if event.body.get("kind") == _JOB and "status" in event.body:
            self._last[ref_of(event.body).key] = event.body
