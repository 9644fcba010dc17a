"""``--timings``: notes when phases begin and end, and asks the clients what they sent. Loaded only when asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from fleetmgr.model.event import ClusterFinished, ClusterStarted, Event, EventSink
from fleetmgr.model.timings import ClusterTimings, Requests, Spent, Timings
from fleetmgr.wiring.machine import SystemClock

_LOAD, _RENDER = "load", "render"


class Stopwatch:
    """Thread-safe. Runs from the moment that it is made."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        """``now``: seconds that never go back."""
        self._now = now or SystemClock().monotonic
        self._began = self._now()
        self._lock = threading.Lock()
        self._sent: Callable[[], Mapping[str, Requests]] = dict[str, Requests]
        self._run: dict[str, tuple[float, float]] = {}
        self._loaded: float | None = None
        self._started: dict[tuple[str, str], float] = {}
        self._clusters: dict[str, dict[str, float]] = {}

    @contextmanager
    def loading(self) -> Generator[None, None, None]:
        """While the fleet's files are read and checked."""
        begun = self._now()
        yield
        self._loaded = self._now()
        self._run[_LOAD] = (begun, self._loaded)

    def counts(self, sent: Callable[[], Mapping[str, Requests]]) -> None:
        """``sent`` tells what was sent so far, by cluster and verb."""
        self._sent = sent

    def hearing(self, sink: EventSink) -> EventSink:
        """``sink``, with the time noted at which clusters begin and end."""

        def both(event: Event) -> None:
            if isinstance(event, ClusterStarted):
                self._begin(event.cluster, event.phase)
            elif isinstance(event, ClusterFinished):
                self._end(event.cluster, event.phase)
            sink(event)

        return both

    def read(self) -> Timings:
        """What has been spent so far."""
        now = self._now()
        sent = self._sent()
        with self._lock:
            clusters = [
                ClusterTimings(
                    cluster=name,
                    phases=dict(self._clusters.get(name, {})),
                    requests=_sorted(sent.get(name, {})),
                )
                for name in sorted({*sent, *self._clusters})
            ]
            phases = {name: end - begin for name, (begin, end) in self._run.items()}
        return Timings(
            seconds=now - self._began, phases=phases, requests=_sum(sent), clusters=tuple(clusters)
        )

    def _begin(self, cluster: str, phase: str) -> None:
        now = self._now()
        with self._lock:
            if self._loaded is not None:
                self._run.setdefault(_RENDER, (self._loaded, now))
            self._run.setdefault(phase, (now, now))
            self._started[cluster, phase] = now

    def _end(self, cluster: str, phase: str) -> None:
        now = self._now()
        with self._lock:
            begun = self._started.pop((cluster, phase), None)
            if begun is None:
                return
            spent = self._clusters.setdefault(cluster, {})
            spent[phase] = spent.get(phase, 0.0) + now - begun
            self._run[phase] = (self._run[phase][0], now)


def _sorted(requests: Requests) -> Requests:
    return dict(sorted(requests.items()))


def _sum(sent: Mapping[str, Requests]) -> Requests:
    whole: dict[str, Spent] = {}
    for requests in sent.values():
        for verb, spent in requests.items():
            whole[verb] = whole.get(verb, Spent()) + spent
    return _sorted(whole)
