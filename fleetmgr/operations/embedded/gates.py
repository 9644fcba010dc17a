"""Apps side by side: each is a walk that stops at gates, and one loop looks at all gates of the cluster at once.

An app that waits holds up those that depend on it and nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from fleetmgr.model.change import Change
from fleetmgr.model.objects import ObjectKey, ObjectRef
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.run import Run, check_stop
from fleetmgr.operations.embedded.wait import Gate, Lookout, Until, Verdict


class After(Struct, frozen=True, kw_only=True):
    """Another app's walk must have ended."""

    app: str


class Write(Struct, frozen=True, kw_only=True):
    """Objects of one app that may be written now, in kind order."""

    app: str
    changes: tuple[Change, ...]


class Turn(Struct, frozen=True, kw_only=True):
    """An object of another app must have had its turn, or that app's walk have ended, well or not."""

    app: str
    key: ObjectKey


class Written(Struct, frozen=True, kw_only=True):
    """Whether all of a Write went well."""

    well: bool


Pause: TypeAlias = Gate | After | Turn | Write
Answer: TypeAlias = Verdict | Written | None
Walk: TypeAlias = Generator[Pause, Answer, None]
"""One app's way through an apply: it is told the verdict on a Gate, how a Write went, and None once an After or
a Turn is over."""
Part: TypeAlias = Generator[Pause, Answer, bool]
"""A part of a Walk: whether the app may go on."""


_WITHOUT_OWN = 600.0
"""Seconds for an app that is gone from fleet.yaml, and its timeout with it."""


Writer: TypeAlias = Callable[[Run, Sequence[Write]], Mapping[str, Written]]
"""Performs all that may be written at this moment; what went wrong is booked in the run."""


def pass_gate(
    run: Run, app: str, until: Until, resources: tuple[Resource, ...]
) -> Generator[Gate, Answer, Verdict]:
    """Stop until the gate has a verdict; one that did not open fails the app."""
    return _passed(
        run, app, (yield Gate(app=app, until=until, resources=resources, seconds=_seconds(run, app)))
    )


def pass_leaving(run: Run, app: str, leaving: tuple[ObjectRef, ...]) -> Generator[Gate, Answer, Verdict]:
    """Stop until objects that were deleted are gone; what stays fails the app."""
    return _passed(
        run, app, (yield Gate(app=app, until=Until.GONE, leaving=leaving, seconds=_seconds(run, app)))
    )


def _seconds(run: Run, app: str) -> float:
    current = run.scene.stack_app(app)
    own = current.timeout if current is not None else _WITHOUT_OWN
    return run.options.timeout if run.options.timeout is not None else own


def pass_writing(app: str, changes: Sequence[Change]) -> Generator[Write, Answer, bool]:
    """Stop until ``changes`` are written; whether all went well. What did not is booked in the run."""
    written = yield Write(app=app, changes=tuple(changes))
    assert isinstance(written, Written), "a Write is told how it went"  # noqa: S101 - drive answers every Write so
    return written.well


def _passed(run: Run, app: str, verdict: Answer) -> Verdict:
    assert isinstance(verdict, Verdict), "a gate always has a verdict"  # noqa: S101 - drive answers every Gate so
    if not verdict.passed:
        run.timed_out = run.timed_out or verdict.timed_out
        run.failed_apps.add(app)
    return verdict


def _had(run: Run, at: After | Turn) -> bool:
    return isinstance(at, Turn) and any(result.ref.key == at.key for result in run.results)


def drive(run: Run, walks: Mapping[str, Walk], write: Writer) -> None:
    """Walk all apps to their ends, in the order given wherever several can go on. What several apps may write at one
    moment is handed to ``write`` together.

    Raises Interrupted within a second of a stop, and ClusterError once the cluster cannot be asked any more.
    """
    waiting: dict[str, Pause] = {}

    def go_on(app: str, verdict: Answer) -> None:
        waiting.pop(app, None)
        try:
            waiting[app] = walks[app].send(verdict)
        except StopIteration:
            return

    lookout = Lookout(run.scene, clock=run.clock, sink=run.sink)
    try:
        for app in walks:
            go_on(app, None)
        while waiting:
            check_stop(run)
            decided: dict[str, Answer] = {
                app: None
                for app, at in waiting.items()
                if isinstance(at, (After, Turn)) and (at.app not in waiting or _had(run, at))
            }
            if wanted := [at for at in waiting.values() if isinstance(at, Write)]:
                decided.update(write(run, wanted))
            decided.update(lookout.look(at for at in waiting.values() if isinstance(at, Gate)))
            for app in [a for a in walks if a in decided]:
                go_on(app, decided[app])
            if not decided:
                lookout.rest()
    finally:
        lookout.close()
