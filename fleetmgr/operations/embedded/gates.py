"""Apps side by side: each is a walk that stops at gates, and one loop looks at all gates of the cluster at once.

An app that waits holds up those that depend on it and nobody else.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TypeAlias

from msgspec import Struct

from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.run import Run, check_stop
from fleetmgr.operations.embedded.wait import Gate, Lookout, Until, Verdict


class After(Struct, frozen=True, kw_only=True):
    """Another app's walk must have ended."""

    app: str


Walk: TypeAlias = Generator[Gate | After, Verdict | None, None]
"""One app's way through an apply: it is told the verdict on a Gate, and None once an After is over."""
Part: TypeAlias = Generator[Gate | After, Verdict | None, bool]
"""A part of a Walk: whether the app may go on."""


_WITHOUT_OWN = 600.0
"""Seconds for an app that is gone from fleet.yaml, and its timeout with it."""


def pass_gate(
    run: Run, app: str, until: Until, resources: tuple[Resource, ...]
) -> Generator[Gate, Verdict | None, Verdict]:
    """Stop until the gate has a verdict; one that did not open fails the app."""
    return _passed(
        run, app, (yield Gate(app=app, until=until, resources=resources, seconds=_seconds(run, app)))
    )


def pass_leaving(
    run: Run, app: str, leaving: tuple[ObjectRef, ...]
) -> Generator[Gate, Verdict | None, Verdict]:
    """Stop until objects that were deleted are gone; what stays fails the app."""
    return _passed(
        run, app, (yield Gate(app=app, until=Until.GONE, leaving=leaving, seconds=_seconds(run, app)))
    )


def _seconds(run: Run, app: str) -> float:
    current = run.scene.stack_app(app)
    own = current.timeout if current is not None else _WITHOUT_OWN
    return run.options.timeout if run.options.timeout is not None else own


def _passed(run: Run, app: str, verdict: Verdict | None) -> Verdict:
    assert verdict is not None, "a gate always has a verdict"  # noqa: S101 - drive answers every Gate so
    if not verdict.passed:
        run.timed_out = run.timed_out or verdict.timed_out
        run.failed_apps.add(app)
    return verdict


def drive(run: Run, walks: Mapping[str, Walk]) -> None:
    """Walk all apps to their ends, in the order given wherever several can go on.

    Raises Interrupted within a second of a stop, and ClusterError once the cluster cannot be asked any more.
    """
    waiting: dict[str, Gate | After] = {}

    def go_on(app: str, verdict: Verdict | None) -> None:
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
            decided: dict[str, Verdict | None] = {
                app: None for app, at in waiting.items() if isinstance(at, After) and at.app not in waiting
            }
            decided.update(lookout.look(at for at in waiting.values() if isinstance(at, Gate)))
            for app in [a for a in walks if a in decided]:
                go_on(app, decided[app])
            if not decided:
                lookout.rest()
    finally:
        lookout.close()
