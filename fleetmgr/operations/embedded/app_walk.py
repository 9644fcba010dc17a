"""One app's way through an apply: what it depends on, PreSync hooks, wave after wave, health, PostSync hooks."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from fleetmgr.engine.order import steps
from fleetmgr.engine.providers import Awaited, provided_across, provided_in_app
from fleetmgr.model.change import Change, Op
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.ordering import Phase, after, ordering_of
from fleetmgr.model.report import Outcome
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.gates import After, Answer, Part, Turn, Walk, pass_gate, pass_writing
from fleetmgr.operations.embedded.hook_plan import hooks_of
from fleetmgr.operations.embedded.hooks import run_hooks, run_phase, run_sync_fail
from fleetmgr.operations.embedded.run import Run
from fleetmgr.operations.embedded.scene import plural_of
from fleetmgr.operations.embedded.wait import Gate, Until, Verdict


def app_walks(run: Run, changes: Mapping[str, Sequence[Change]]) -> dict[str, Walk]:
    """The walks of apps that have ``changes`` (none left to write counts too), and of those that they
    depend on, dependencies first."""
    scene = run.scene
    run.awaited = _awaited(run, changes)
    needed: set[str] = set()
    for app in reversed(scene.stack.apps):
        if app.name in needed or app.name in changes:
            needed |= set(app.depends_on) & scene.apps
    walking = [a.name for a in scene.stack.apps if a.name in scene.apps]
    return {
        app: _walk(run, app, changes.get(app, ()), needed=app in needed, touched=app in changes)
        for app in walking
        if app in needed or app in changes
    }


def _awaited(run: Run, changes: Mapping[str, Sequence[Change]]) -> Awaited:
    scene = run.scene
    written = [scene.resources.get(c.ref.key) for part in changes.values() for c in part if c.op.writes]
    return provided_across(
        [resource for resource in written if resource is not None],
        scene.resources.values(),
        {app.name: app.depends_on for app in scene.stack.apps},
        lambda ref: plural_of(scene, ref),
    )


def _walk(run: Run, app: str, changes: Sequence[Change], *, needed: bool, touched: bool) -> Walk:
    members = [c for c in changes if c.op is not Op.HOOK]
    blocked = yield from _dependencies(run, app)
    if blocked:
        run.failed_apps.add(app)  # also with nothing to write: what depends on this app is held up as well
        run.skipped(changes, f"app {blocked}, which {app} depends on, failed or is not Healthy")
        return
    if any(r.outcome is Outcome.FAILED and r.app == app for r in run.results):
        run.skipped(changes, "an object before it failed")
        return
    wait = needed or (touched and run.options.wait)
    if not (yield from _sync(run, app, members, wait=wait)) and changes:
        yield from run_sync_fail(run, app)


def _dependencies(run: Run, app: str) -> Generator[After, Answer, str | None]:
    """Ends with the dependency that keeps an app from being written."""
    current = run.scene.stack_app(app)
    for name in current.depends_on if current else ():
        if name in run.scene.apps:
            yield After(app=name)
            if name in run.failed_apps:
                return name
    return None


def _sync(run: Run, app: str, changes: Sequence[Change], *, wait: bool) -> Part:
    if not (yield from run_phase(run, app, Phase.PRE_SYNC)):
        later = [c for phase in (Phase.SYNC, Phase.POST_SYNC) for c in run.hook_changes(app, phase)]
        run.skipped([*changes, *later], "a PreSync hook failed")
        return False
    written = yield from _write_steps(run, app, changes)
    after = run.hook_changes(app, Phase.POST_SYNC)
    if not written:
        run.skipped(after, "the app could not be written")
        return False
    if wait or after:
        verdict = yield from pass_gate(run, app, Until.HEALTHY, _members(run, app))
        run.health[app] = verdict.health
        if not verdict.passed:
            run.skipped(after, f"the app is not Healthy: {verdict.health.message}")
            return False
    return (yield from run_phase(run, app, Phase.POST_SYNC))


def _members(run: Run, app: str) -> tuple[Resource, ...]:
    return tuple(r for r in run.scene.resources.values() if r.app == app)


def _write_steps(run: Run, app: str, changes: Sequence[Change]) -> Part:
    """Each step of the app's own order, once all before it is Healthy."""
    hooks = {c.ref.key: c for c in run.hook_changes(app, Phase.SYNC)}
    todo = {c.ref.key: c for c in changes}
    earlier: list[Resource] = []
    for step in _steps(run, app, changes):
        mine = [todo.pop(ref.key) for ref in step if ref.key in todo]
        of_sync = [hooks.pop(ref.key) for ref in step if ref.key in hooks]
        if (mine or of_sync) and earlier:
            verdict: Verdict = yield from pass_gate(run, app, Until.HEALTHY, tuple(earlier))
            if not verdict.passed:
                run.health[app] = verdict.health
                left = [*mine, *of_sync, *todo.values(), *hooks.values()]
                run.skipped(left, f"what comes before it is not Healthy: {verdict.health.message}")
                return False
            earlier.clear()
        missing = yield from _provided(run, app, mine)
        if missing is not None:
            run.skipped([*mine, *of_sync, *todo.values(), *hooks.values()], missing)
            return False
        well = not mine or (yield from pass_writing(app, mine))
        well = well and (yield from run_hooks(run, app, Phase.SYNC, of_sync))
        if not well:
            run.skipped([*todo.values(), *hooks.values()], "an object before it failed")
            return False
        earlier += [run.scene.resources[ref.key] for ref in step if ref.key in run.scene.resources]
    return True


def _provided(run: Run, app: str, changes: Sequence[Change]) -> Generator[Gate | Turn, Answer, str | None]:
    """Stop until what other apps provide for these objects is written and ready; ends with what is not."""
    for key in dict.fromkeys(key for c in changes for key in run.awaited.get(c.ref.key, ())):
        provider = run.scene.resources[key]
        told = f"{provider.ref.short} of app {provider.app}, which must come first,"
        yield Turn(app=provider.app, key=key)
        if not any(r.ref.key == key and r.outcome is Outcome.DONE for r in run.results):
            return f"{told} was not written"
        verdict = yield from pass_gate(run, app, Until.HEALTHY, (provider,))
        if not verdict.passed:
            run.health[app] = verdict.health
            return f"{told} is not ready: {verdict.health.message}"
    return None


def _steps(run: Run, app: str, changes: Sequence[Change]) -> list[list[ObjectRef]]:
    """The app's own order; after webhooks that are written now what they are to see, and after an APIService what it
    serves."""
    members = _members(run, app)
    written = {c.ref.key for c in changes}
    mine = [r for r in members if r.ref.key in written]
    provided = provided_in_app(mine, lambda ref: plural_of(run.scene, ref))
    objects = [(r.ref, after(ordering_of(r.inputs), provided.get(r.ref.key, ()))) for r in members]
    objects += [(h.resource.ref, h.ordering) for h in hooks_of(run.scene, app, (Phase.SYNC,))]
    return steps(objects)
