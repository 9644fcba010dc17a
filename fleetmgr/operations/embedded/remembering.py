"""What an apply leaves in the inventory and memory of each app."""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.model.change import Op
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.report import Outcome
from fleetmgr.operations.embedded.parents import conclude, forget, new_record, stale
from fleetmgr.operations.embedded.run import Run


def remember(run: Run, apps: Iterable[str]) -> None:
    """Write the record of each app, or drop that of an app that is gone with all its objects."""
    scene = run.scene
    written = [r.ref.key for r in run.results if r.outcome is Outcome.DONE and r.op is not Op.DELETE]
    healed = [c for c in run.plan.changes if c.drift and c.ref.key in written]
    for app in sorted(apps):
        left = _left(run, app)
        if scene.stack_app(app) is None and not left:
            forget(scene, app)
            continue
        record = new_record(
            scene,
            app,
            run=run.options.signature(run.now()),
            outcome="failed" if app in run.failed_apps else "done",
            written=written,
            healed=[c for c in healed if c.app == app],
        )
        conclude(scene, app, record, left=left)


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
    return gone | {a for a in scene.apps if stale(scene, a)}
