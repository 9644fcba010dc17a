"""What a running rollout leaves on its clusters as it goes, and the requests of people that it finds there.

Writing and asking go on beside the work: a cluster that answers slowly holds up nobody, and one that does not
answer is left out from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future

from msgspec.structs import replace

from fleetmgr.errors import FleetError
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.operations.rollouts.memory import Heard, Shelf, ask_all
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster_errors import ObjectGone
from fleetmgr.rollout.events import Event, Supersede
from fleetmgr.rollout.record import RolloutRecord, event_of, united
from fleetmgr.rollout.state import Request, State

POLL = 2.0
"""Seconds between two questions for requests; how long a pause may take to be seen."""
_ASKED = 2
"""Clusters asked each time, in turn: whoever asks for a pause tells all that he can reach."""


class Journal:
    """The record of one rollout while it runs."""

    def __init__(
        self, record: RolloutRecord, shelves: Mapping[str, Shelf], *, clock: Clock, aside: Executor
    ) -> None:
        """``aside`` runs what is written and asked; two workers are enough."""
        self.record = record
        self.lost: dict[str, FleetError] = {}
        """Clusters that no longer answer, and what they said."""
        self._shelves = dict(shelves)
        self._clock = clock
        self._aside = aside
        self._lock = threading.Lock()
        self._begun: set[str] = set()
        self._holders: set[str] = set()
        self._holding: list[str] = []
        self._written = record.counter
        self._known = set(record.requests)
        self._found: list[Request] = []
        self._taken_over: RolloutRecord | None = None
        self._writing: Future[None] | None = None
        self._asking: Future[None] | None = None
        self._asked = clock.monotonic()

    def begin(self, *clusters: str) -> None:
        """From now on these are written to: their turn has come."""
        with self._lock:
            self._begun.update(clusters)

    def note(self, state: State, status: RolloutStatus, why: str = "") -> None:
        """Have every cluster that answers remember this."""
        with self._lock:
            self.record = replace(
                self.record,
                counter=self.record.counter + 1,
                updated_at=self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
                state=state,
                status=status,
                why=why,
            )
        if self._writing is None or self._writing.done():
            self._writing = self._aside.submit(self._write)

    def heard(self) -> list[Event]:
        """What people have asked for since the last time; asks the clusters again from time to time."""
        now = self._clock.monotonic()
        idle = self._asking is None or self._asking.done()
        if idle and self._holding and now - self._asked >= POLL:
            self._asked = now
            self._asking = self._aside.submit(self._ask)
        with self._lock:
            found, self._found = self._found, []
            events = [event for request in found if (event := event_of(request)) is not None]
            taken, self._taken_over = self._taken_over, None
        if taken is not None:
            events.append(Supersede(by=taken.id, who=taken.actor))
        return events

    def close(self) -> None:
        """Wait until everything noted is written, and drop the oldest records."""
        for task in (self._asking, self._writing):
            if task is not None:
                task.result()
        self._write()

        def tidy(_: str, shelf: Shelf) -> tuple[RolloutRecord, ...]:
            shelf.forget_old()
            return ()

        ask_all(self._alive(self._holding), tidy)

    def _alive(self, names: Iterable[str]) -> dict[str, Shelf]:
        return {name: self._shelves[name] for name in names if name not in self.lost}

    def _write(self) -> None:
        while True:
            with self._lock:
                record, begun = self.record, frozenset(self._begun)
                if record.counter == self._written:
                    return
            self._write_once(record, begun)

    def _write_once(self, record: RolloutRecord, begun: frozenset[str]) -> None:
        def write(name: str, shelf: Shelf) -> tuple[RolloutRecord, ...]:
            return (shelf.write(record, create_namespace=name in begun),)

        self._take(ask_all(self._alive(self._shelves), write))
        with self._lock:
            self._written = record.counter
            self._holding += [name for name in self._holders if name not in self._holding]

    def _ask(self) -> None:
        with self._lock:
            turn = [name for name in self._holding if name not in self.lost]
            asked, self._holding = turn[:_ASKED], [*turn[_ASKED:], *turn[:_ASKED]]

        def read(_: str, shelf: Shelf) -> tuple[RolloutRecord, ...]:
            stored = shelf.read(self.record.id)
            return (stored,) if stored is not None else ()

        self._take(ask_all(self._alive(asked), read))

    def _take(self, heard: Heard) -> None:
        with self._lock:
            for name, error in heard.failures.items():
                if not isinstance(
                    error, ObjectGone
                ):  # it has no namespace of ours yet: nothing to remember there
                    self.lost[name] = error
            for name, copies in heard.records.items():
                self._holders.update([name] if copies else [])
            for copy in heard.copies():
                new = [request for request in copy.requests if request not in self._known]
                self._known.update(new)
                self._found += new
                self.record = replace(self.record, requests=united(self.record.requests, copy.requests))
                if copy.counter > self.record.counter:
                    self._taken_over = copy
