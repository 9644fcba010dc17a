"""Health as a gate: before what depends on an app, and at the end."""

from __future__ import annotations

from collections.abc import Sequence

from fleetmgr.model.objects import GroupKind
from fleetmgr.operations.embedded.run import Run, check_stop
from fleetmgr.operations.embedded.wait import Awaited, await_apps


def blocked_by(run: Run, app: str) -> str | None:
    """The dependency that keeps an app from being written: health-gated, dependencies first."""
    current = run.scene.stack_app(app)
    needed = [d for d in (current.depends_on if current else ()) if d in run.scene.apps]
    for name in needed:
        if name in run.failed_apps:
            return name
    waiting = [name for name in needed if name not in run.health]
    if waiting:
        await_gate(run, waiting)
    return next((name for name in needed if name in run.failed_apps), None)


def await_gate(run: Run, apps: Sequence[str], *, only: frozenset[GroupKind] | None = None) -> None:
    """Wait for apps, each to its own deadline; who is not Healthy then has failed. ``only`` narrows to some kinds.

    Raises Interrupted and ClusterError.
    """
    awaited = _awaited(run, apps, only)
    check_stop(run)
    for health in awaited.health:
        if only is None:
            run.health[health.app] = health
    if awaited.healthy:
        return
    run.timed_out = run.timed_out or awaited.timed_out
    for health in awaited.health:
        if health.status.value not in ("Healthy", "Suspended"):
            run.failed_apps.add(health.app)
            run.health[health.app] = health


def _awaited(run: Run, apps: Sequence[str], only: frozenset[GroupKind] | None) -> Awaited:
    start = run.clock.monotonic()
    deadlines: dict[str, float] = {}
    for name in apps:
        app = run.scene.stack_app(name)
        timeout = run.options.timeout if run.options.timeout is not None else (app.timeout if app else 0.0)
        deadlines[name] = start + timeout
    return await_apps(run.scene, deadlines, clock=run.clock, stop=run.stop, sink=run.sink, only=only)


def wait_for_all(run: Run, apps: Sequence[str]) -> None:
    """The last wait, of apps that nobody has waited for yet; none with ``--no-wait``."""
    if run.options.wait:
        waiting = [a for a in apps if a not in run.health and a not in run.failed_apps]
        if waiting:
            await_gate(run, waiting)
