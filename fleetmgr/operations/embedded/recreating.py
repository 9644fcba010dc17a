"""Performing a planned replacement: delete exactly what the plan saw, wait until it is really gone, create.

Nothing is deleted before the server has said, by dry run, that it accepts the new object. A run that is killed
in between leaves an absent object: the next one creates it.
"""

from __future__ import annotations

from typing import ClassVar

from fleetmgr.engine.compare import differing
from fleetmgr.engine.immutable import JOB
from fleetmgr.engine.ownership import Owner
from fleetmgr.engine.protection import PROTECT_ANNOTATION, is_marked
from fleetmgr.engine.recreated import at_work
from fleetmgr.errors import ExitCode, FleetError, Where
from fleetmgr.model.change import Change
from fleetmgr.model.event import Waiting
from fleetmgr.model.jsontypes import JsonObject, array_at, object_at
from fleetmgr.model.replacement import Propagation
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.replacing import TRANSIENT, rehearsed
from fleetmgr.operations.embedded.run import Run, check_stop
from fleetmgr.operations.embedded.write import changed, served_as, write_resource
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ApiRejected

_PAUSE = 0.1
_LONGEST_PAUSE = 1.0


class StillThere(FleetError):
    """A deleted object is held by finalizers, so that its successor cannot be created yet."""

    code: ClassVar[str] = "FLT-2020"
    exit_code: ClassVar[ExitCode] = ExitCode.TIMEOUT


class StillRunning(FleetError):
    """A Job that is to be replaced did not finish in time."""

    code: ClassVar[str] = "FLT-2021"
    exit_code: ClassVar[ExitCode] = ExitCode.TIMEOUT


class NotRecreatable(FleetError):
    """The server does not accept the new object, so the old one was not deleted."""

    code: ClassVar[str] = "FLT-2022"


def recreate(run: Run, resource: Resource, change: Change) -> tuple[str, ...]:
    """Replace one object; returns the server's warnings. Raises ClusterError, Changed, NotServed, StillThere,
    StillRunning, NotRecreatable and Interrupted (before anything is deleted)."""
    served = served_as(run.scene, resource.ref)
    waiting = _Patience(run, resource)
    live = _recreatable(run, resource, served, waiting)
    if live is not None:
        how = change.replacement.propagation if change.replacement else Propagation.BACKGROUND
        uid = str(object_at(live, "metadata")["uid"])
        ref = resource.ref
        run.scene.client.delete(served, namespace=ref.namespace, name=ref.name, uid=uid, propagation=how)
        _await_gone(run, resource, served, uid, waiting)
    return _create(run, resource, waiting)


def _recreatable(run: Run, resource: Resource, served: ApiResource, waiting: _Patience) -> JsonObject | None:
    """The very object that the plan saw, at rest, and its successor acceptable to the server; None when it is gone."""
    live = _read(run, resource, served)
    if live is not None:
        live = _finished(run, resource, served, live, waiting)
    if live is not None:
        _check_acceptable(run, resource, served)
    return live


class _Patience:
    """How long one replacement may take, and when to say what it waits for."""

    def __init__(self, run: Run, resource: Resource) -> None:
        app = run.scene.stack_app(resource.app)
        own = app.timeout if app is not None else 0.0
        self.seconds = own if run.options.timeout is None else run.options.timeout
        self._run, self._resource = run, resource
        self._deadline = run.clock.monotonic() + self.seconds
        self._pause = _PAUSE
        self._told = ""

    def over(self) -> bool:
        """Whether time is up."""
        return self._run.clock.monotonic() >= self._deadline

    def wait(self, what: str) -> None:
        """Sleep a little; ``what`` is said once."""
        if what != self._told:
            self._told = what
            cluster, app = self._run.cluster, self._resource.app
            self._run.sink(Waiting(cluster=cluster, app=app, ready=0, total=1, message=what))
        self._run.clock.sleep(self._pause)
        self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)


def _read(run: Run, resource: Resource, served: ApiResource) -> JsonObject | None:
    """The object as it is now: ours, and the very one that the plan saw; None when it is gone."""
    ref = resource.ref
    live = run.scene.client.get(served, namespace=ref.namespace, name=ref.name)
    if live is None:
        return None
    planned = run.scene.live.get(ref.key, {})
    whose = run.scene.whose(live)
    if whose.owner is not Owner.OURS:
        raise changed(run.scene, resource.ref, "is no longer proven to be ours: not deleted")
    if object_at(planned, "metadata").get("uid") != object_at(live, "metadata").get("uid"):
        raise changed(run.scene, resource.ref, "was replaced by another object since the plan: not deleted")
    if is_marked(live) and not is_marked(planned):
        raise changed(
            run.scene, resource.ref, f"was annotated {PROTECT_ANNOTATION} since the plan: not deleted"
        )
    if differing(resource.inputs, live, {}) != differing(resource.inputs, planned, {}):
        raise changed(run.scene, resource.ref, "was changed since the plan: not deleted")
    return live


def _finished(
    run: Run, resource: Resource, served: ApiResource, live: JsonObject, waiting: _Patience
) -> JsonObject | None:
    """A Job at work is let finish, unless ``--force`` says otherwise."""
    if resource.ref.key.group_kind != JOB or run.scene.force:
        return live
    found: JsonObject | None = live
    while found is not None and at_work(found):
        check_stop(run)
        if waiting.over():
            run.timed_out = True
            raise StillRunning(
                f"{resource.ref.short} was still at work after {waiting.seconds:.0f} s: nothing was deleted",
                where=_where(run, resource),
                hint="apply again once it has finished, or `fleet apply --force` to stop it",
            )
        waiting.wait(f"{resource.ref.short} is at work and is replaced once it has finished")
        found = _read(run, resource, served)
    return found


def _check_acceptable(run: Run, resource: Resource, served: ApiResource) -> None:
    tried = rehearsed(run.scene, resource, served)
    if tried.body is None and (tried.refused or tried.unasked):
        raise NotRecreatable(
            f"{resource.ref.short} was not deleted, because a new one cannot be created: {tried.why}",
            where=_where(run, resource),
            hint="the old object is as it was; make the server accept the new one first",
        )


def _await_gone(run: Run, resource: Resource, served: ApiResource, uid: str, waiting: _Patience) -> None:
    """Until it is really gone. An interrupt does not stop this: the object would be missing until the next run."""
    ref = resource.ref
    while (live := run.scene.client.get(served, namespace=ref.namespace, name=ref.name)) is not None:
        if object_at(live, "metadata").get("uid") != uid:
            raise changed(
                run.scene, resource.ref, "was deleted for its replacement, and somebody else created it again"
            )
        finalizers = ", ".join(map(str, array_at(live, "metadata", "finalizers"))) or "none"
        if waiting.over():
            run.timed_out = True
            raise StillThere(
                f"{ref.short} is deleted but still there after {waiting.seconds:.0f} s (finalizers: {finalizers})",
                where=_where(run, resource),
                hint="see what holds it; apply again once it is gone, and it is created",
            )
        waiting.wait(f"{ref.short} is being deleted (finalizers: {finalizers})")


def _create(run: Run, resource: Resource, waiting: _Patience) -> tuple[str, ...]:
    while True:
        try:
            return write_resource(run.scene, resource)
        except ApiRejected as error:  # quotas and ports are counted again a moment after a deletion
            if waiting.over() or not any(words in error.message for words in TRANSIENT):
                raise
            waiting.wait(f"{resource.ref.short} cannot be created yet: {error.message}")


def _where(run: Run, resource: Resource) -> Where:
    return Where(cluster=run.cluster, object=str(resource.ref))
