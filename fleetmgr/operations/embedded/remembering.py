"""What an apply leaves in the inventory and memory of each app."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from fleetmgr.errors import FleetError
from fleetmgr.model.change import Op
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.memory import DONE
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.report import Outcome
from fleetmgr.operations.embedded.hook_memory import attempt_left, clean_up, memory_after
from fleetmgr.operations.embedded.parents import (
    AppRun,
    conclude,
    forget,
    new_record,
    note_refusal,
    stale,
)
from fleetmgr.operations.embedded.run import Run


def remember(run: Run, apps: Iterable[str]) -> None:
    """Write the record of each app, or drop that of an app that is gone with all its objects."""
    scene = run.scene
    for app in sorted(apps):
        left = _left(run, app)
        if scene.stack_app(app) is None and not left and not _hooks_left(run, app):
            forget(scene, app)
            continue
        went = _app_run(run, app)
        record = new_record(scene, app, went)
        well = app not in run.failed_apps and (not went.results or record.results[0].outcome == DONE)
        conclude(scene, app, memory_after(run, app, record, well=well), left=left)
        clean_up(run, app)


def remember_refusals(run: Run, apps: Iterable[str]) -> None:
    """Write down, of ``apps`` that failed without a write, that they did. Where that cannot be, nothing else is
    different: the result of the run says it all the same."""
    for app in sorted(apps):
        with suppress(FleetError):
            note_refusal(run.scene, app, _app_run(run, app))


def _app_run(run: Run, app: str) -> AppRun:
    health = run.health.get(app)
    healthy = None if health is None else health.status in (HealthStatus.HEALTHY, HealthStatus.SUSPENDED)
    return AppRun(
        run=run.options.signature(run.now()),
        changes=tuple(c for c in run.plan.changes if c.app == app),
        results=tuple(r for r in run.results if r.app == app),
        healthy=healthy,
        health=health.message if health is not None else "",
    )


def _hooks_left(run: Run, app: str) -> bool:
    """Whether hooks of an app that leaves have not run: its memory holds what they are."""
    done = {r.ref for r in run.results if r.outcome is Outcome.DONE}
    return any(c.app == app and c.hook is not None and c.ref not in done for c in run.plan.changes)


def _left(run: Run, app: str) -> list[ObjectKey]:
    """Members that are still there and not this app's to desire: orphans, what was not deleted, and what
    another app desires but has not taken over yet."""
    done = [r for r in run.results if r.outcome is Outcome.DONE]
    gone = {r.ref.key for r in done if r.op is not Op.DELETE or r.ref not in run.lingering}
    scene = run.scene
    return [key for key, live in scene.live.items() if key not in gone and scene.whose(live).app == app]


def outdated(run: Run) -> set[str]:
    """Apps whose memory is behind what is live (a run was killed), and apps that are gone with all objects."""
    scene = run.scene
    gone = {a for a in scene.apps if scene.stack_app(a) is None and a in scene.parents and not _left(run, a)}
    return gone | {a for a in scene.apps if stale(scene, a) or attempt_left(scene, a)}
