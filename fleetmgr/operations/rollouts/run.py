"""The loop around the rollout machine: starts what it decides, tells it what happened, waits as long as it says.

Work on clusters goes on in threads; everything that is decided is decided here, in one thread, so that a state is
never changed by two.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, assert_never

from msgspec import Struct, field

from fleetmgr.errors import ExitCode, Terminated
from fleetmgr.model.event import EventSink, RolloutStopped, Soaking, WaveStarted
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.report import ClusterReport, Outcome
from fleetmgr.model.rollout import Step
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.operations.rollouts.journal import Journal
from fleetmgr.ports.clock import Clock
from fleetmgr.rollout.decisions import Done, Rollback, Start, Stop, StopVerdict, Wait, WaitFor
from fleetmgr.rollout.events import (
    Event,
    Finished,
    HealthSeen,
    Result,
    RollbackFinished,
    RollbackStarted,
    Started,
)
from fleetmgr.rollout.machine import decide, observe
from fleetmgr.rollout.state import Instant, State

_PULSE = 1.0
"""Seconds after which a waiting loop looks around again: for requests of people and for its own deadlines."""
_LOOK = 15.0
"""Seconds between two looks at the health of a wave that soaks."""
_LEAST = 0.01
_PATIENCE = 30.0
"""Seconds that a cluster may take to become Healthy again when its soak is over."""
_SAVE = 10.0
"""Seconds after which progress inside a wave is written down again."""


class Crew(Protocol):
    """Who does the work on clusters. Nothing here raises FleetError: a failing cluster is an answer."""

    def apply(self, cluster: str) -> ClusterReport:
        """Make one cluster as planned and wait for its health."""
        ...

    def roll_back(self, cluster: str) -> ClusterReport:
        """Bring one cluster back to its previous revision; not OK where that is impossible."""
        ...

    def look(self, clusters: tuple[str, ...], *, patience: float | None) -> list[HealthSeen]:
        """The health of what this rollout changes on some clusters. None: only what is clearly ill is; a number:
        what is not Healthy, and does not become so within as many seconds, is ill as well."""
        ...


class Stopping(Protocol):
    """Somebody asked to stop, and how to ask. A ``threading.Event`` does."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...

    def set(self) -> None:
        """Have the work on every cluster end after what is being written."""
        ...


class Ended(Struct, frozen=True, kw_only=True):
    """How far a run came. ``decision`` None: a signal ended it."""

    state: State
    decision: Done | Stop | Wait | None
    reports: dict[str, ClusterReport]
    """Clusters whose turn came."""
    rolled_back: dict[str, ClusterReport]
    signal: ExitCode | None = None


class RolloutRun(Struct, kw_only=True):
    """One run of one rollout; ``journal`` None: nobody needs to remember it."""

    state: State
    crew: Crew
    clock: Clock
    stop: Stopping
    sink: EventSink
    parallel: int
    journal: Journal | None = None
    wait_for_windows: bool = False
    told: bool = True
    """Whether waves are worth an event: not where everything is done at once."""
    reports: dict[str, ClusterReport] = field(default_factory=dict[str, ClusterReport])
    rolled_back: dict[str, ClusterReport] = field(default_factory=dict[str, ClusterReport])
    inbox: queue.SimpleQueue[Event | BaseException] = field(
        default_factory=queue.SimpleQueue[Event | BaseException]
    )
    working: int = 0
    looked: float = float("-inf")
    saved: float = float("-inf")
    announced: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def run(self) -> Ended:
        """Until the machine says that it is over, a window is closed, or a signal comes."""
        with ThreadPoolExecutor(max_workers=max(1, self.parallel), thread_name_prefix="cluster") as pool:
            try:
                decision = self._loop(pool)
            except BaseException as stopped:
                self.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                if isinstance(stopped, (KeyboardInterrupt, Terminated)):
                    return self.stopped_by(stopped)
                raise
        return self._ended(decision)

    def _loop(self, pool: ThreadPoolExecutor) -> Done | Stop | Wait:
        self._take_in()
        while True:
            decision = decide(self.state, self._now())
            match decision:
                case Start():
                    self._start(pool, decision)
                case Rollback():
                    self._roll_back(pool, decision)
                case Wait():
                    if decision.reason is WaitFor.WINDOW and not self.working and not self.wait_for_windows:
                        return decision
                    self._wait(decision)
                case Stop() | Done():
                    return decision
                case _:
                    assert_never(decision)
            self._take_in()

    # -- what is decided -----------------------------------------------------------------------------------------

    def _start(self, pool: ThreadPoolExecutor, decision: Start) -> None:
        for cluster in decision.clusters:
            self._announce(cluster)
            self._observe(Started(cluster=cluster))
            if self.journal is not None:
                self.journal.begin(cluster)
            self._submit(pool, cluster, self._applied)
        self._save(RolloutStatus.RUNNING)

    def _roll_back(self, pool: ThreadPoolExecutor, decision: Rollback) -> None:
        for cluster in decision.clusters:
            self._observe(RollbackStarted(cluster=cluster))
            self._submit(pool, cluster, self._brought_back)
        self._save(RolloutStatus.RUNNING, decision.why, urgent=True)

    def _wait(self, wait: Wait) -> None:
        if wait.reason is WaitFor.SOAK:
            self._soaking(wait)
        now = self.clock.monotonic()
        until = now + _PULSE if wait.until is None else min(wait.until, now + _PULSE)
        if self.working:
            self._listen(max(until - now, _LEAST))
        else:
            self.clock.sleep(max(until - now, 0.0))
        now = self.clock.monotonic()
        over = wait.until is not None and now >= wait.until
        if wait.watch and (over or now >= self.looked + _LOOK):
            self.looked = now
            patience = None if wait.reason is WaitFor.SOAK else 0.0
            for seen in self.crew.look(wait.watch, patience=_PATIENCE if over else patience):
                self._observe(seen)

    # -- work ----------------------------------------------------------------------------------------------------

    def _submit(self, pool: ThreadPoolExecutor, cluster: str, work: Callable[[str], Event]) -> None:
        """Whatever ``work`` raises is a bug; it comes out of the loop and not out of a thread."""
        self.working += 1

        def done() -> None:
            try:
                answer: Event | BaseException = work(cluster)
            except BaseException as error:  # noqa: BLE001 - raised again by the loop
                answer = error
            self.inbox.put(answer)

        pool.submit(done)

    def _applied(self, cluster: str) -> Finished:
        report = self.crew.apply(cluster)
        self.reports[cluster] = report
        return Finished(cluster=cluster, result=result_of(report), message=message_of(report))

    def _brought_back(self, cluster: str) -> RollbackFinished:
        report = self.crew.roll_back(cluster)
        self.rolled_back[cluster] = report
        ok = report.exit_code is ExitCode.OK
        return RollbackFinished(cluster=cluster, ok=ok, message="" if ok else message_of(report))

    # -- what happened -------------------------------------------------------------------------------------------

    def _listen(self, seconds: float) -> None:
        """Wait for the next answer of a cluster, at most so long by the real clock: others work meanwhile."""
        with contextlib.suppress(queue.Empty):
            self._took(self.inbox.get(timeout=seconds))

    def _take_in(self) -> None:
        """Everything that has happened meanwhile."""
        while True:
            try:
                self._took(self.inbox.get_nowait())
            except queue.Empty:
                break
        if self.journal is not None:
            for event in self.journal.heard():
                self._observe(event)

    def _took(self, answer: Event | BaseException) -> None:
        self.working -= 1
        if isinstance(answer, BaseException):
            raise answer
        if not self.stop.is_set():  # what a stop has cut short did not fail
            self._observe(answer)
            self._save(RolloutStatus.RUNNING)

    def _now(self) -> Instant:
        return Instant(monotonic=self.clock.monotonic(), wall=self.clock.now())

    def _observe(self, event: Event) -> None:
        self.state = observe(self.state, event, self._now())

    # -- what is told and remembered -----------------------------------------------------------------------------

    def _announce(self, cluster: str) -> None:
        """The first cluster of a wave that is begun announces it."""
        steps = self.state.plan.steps
        number, step = next((n, s) for n, s in enumerate(steps, 1) if cluster in s.clusters)
        if not self.told or (step.name, "started") in self.announced:
            return
        self.announced.add((step.name, "started"))
        self.sink(
            WaveStarted(
                environment=step.environment,
                wave=step.wave,
                number=number,
                of=len(steps),
                clusters=step.clusters,
            )
        )

    def _soaking(self, wait: Wait) -> None:
        step = self._step_of(wait.watch)
        if step is None or wait.until is None or (step.name, "soaking") in self.announced:
            return
        self.announced.add((step.name, "soaking"))
        left = max(0.0, wait.until - self.clock.monotonic())
        self.looked = self.clock.monotonic()
        self.sink(Soaking(environment=step.environment, wave=step.wave, seconds=left))
        self._save(RolloutStatus.RUNNING, wait.why, urgent=True)

    def _step_of(self, clusters: tuple[str, ...]) -> Step | None:
        steps = self.state.plan.steps
        return next((s for s in steps if clusters and clusters[0] in s.clusters), None)

    def _save(self, status: RolloutStatus, why: str = "", *, urgent: bool = False) -> None:
        """Not at every step of every cluster: what is done is seen on the cluster itself."""
        now = self.clock.monotonic()
        if self.journal is None or not (urgent or now >= self.saved + _SAVE):
            return
        self.saved = now
        self.journal.note(self.state, status, why)

    def stopped_by(self, signal: KeyboardInterrupt | Terminated) -> Ended:
        """The end by a signal, once nothing is being written any more."""
        interrupted = isinstance(signal, KeyboardInterrupt)
        code = ExitCode.INTERRUPTED if interrupted else ExitCode.TERMINATED
        with contextlib.suppress(queue.Empty):
            while True:
                self._took(self.inbox.get_nowait())
        if self.journal is not None:
            self.journal.note(
                self.state, RolloutStatus.INTERRUPTED, "interrupted" if interrupted else "terminated"
            )
        return self._end(None, signal=code)

    def _ended(self, decision: Done | Stop | Wait) -> Ended:
        status, why = status_of(decision), "" if isinstance(decision, Done) else decision.why
        if self.journal is not None:
            self.journal.note(self.state, status, why)
        if self.told and status is not RolloutStatus.DONE:
            name = self.journal.record.id if self.journal is not None else ""
            self.sink(RolloutStopped(rollout=name, status=status.value, why=why))
        return self._end(decision)

    def _end(self, decision: Done | Stop | Wait | None, *, signal: ExitCode | None = None) -> Ended:
        return Ended(
            state=self.state,
            decision=decision,
            reports=dict(self.reports),
            rolled_back=dict(self.rolled_back),
            signal=signal,
        )


def status_of(decision: Done | Stop | Wait | None) -> RolloutStatus:
    """How a rollout stands after a run that ended so; None: by a signal."""
    match decision:
        case None:
            return RolloutStatus.INTERRUPTED
        case Done():
            return RolloutStatus.DONE
        case Wait() | Stop(verdict=StopVerdict.CLOSED):
            return RolloutStatus.WINDOW
        case Stop():
            return RolloutStatus(decision.verdict.value)
        case _:
            assert_never(decision)


def result_of(report: ClusterReport) -> Result:
    """What a cluster's report means to a rollout."""
    match report.exit_code:
        case ExitCode.OK:
            return Result.OK
        case ExitCode.TIMEOUT:
            return Result.TIMED_OUT
        case ExitCode.PARTIAL:
            return Result.UNREACHABLE
        case _:
            failed = any(r.outcome is Outcome.FAILED for r in report.results) or report.failure is not None
            ill = any(h.status is HealthStatus.DEGRADED for h in report.health)
            return Result.UNHEALTHY if ill and not failed else Result.FAILED


def message_of(report: ClusterReport) -> str:
    """The first thing that went wrong, in one line."""
    if report.failure is not None:
        return report.failure.problem.message
    failed = (r for r in report.results if r.outcome is Outcome.FAILED and r.problem is not None)
    for result in failed:
        return f"{result.ref.short}: {result.problem.message if result.problem else ''}"
    well = (HealthStatus.HEALTHY, HealthStatus.SUSPENDED)
    ill = (f"{h.app} is {h.status.value}" for h in report.health if h.status not in well)
    return next(ill, "")
