"""Finished Jobs are remembered: one that its TTL removed is done, not missing. Otherwise a migration would run
again at every heal."""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.engine.inventory import body_digest, key_text
from fleetmgr.engine.rerun import Run, identity, run_of
from fleetmgr.health.conditions import condition
from fleetmgr.model.jsontypes import JsonObject, child
from fleetmgr.model.objects import GroupKind, ObjectKey
from fleetmgr.model.resource import Resource
from fleetmgr.operations.embedded.scene import Scene

_JOB = GroupKind("batch", "Job")


def goes_by_itself(resource: Resource) -> bool:
    """Whether this is a Job that a TTL removes once it has finished."""
    if resource.ref.key.group_kind != _JOB:
        return False
    return child(resource.inputs, "spec", "ttlSecondsAfterFinished") is not None


def finished_earlier(scene: Scene, resource: Resource) -> bool:
    """Whether exactly this Job is remembered as completed."""
    record = scene.record(resource.app)
    if record is None or not goes_by_itself(resource) or run_of(resource) is Run.APPLY:
        return False
    return record.finished.get(key_text(resource.ref.key)) == _digest(resource)


def finished_jobs(scene: Scene, app: str, written: Iterable[ObjectKey]) -> dict[str, str]:
    """What to remember: Jobs that are complete now or were before, and those ``written`` in this run that are
    gone again. Asks the cluster about each; raises ClusterError."""
    sent = frozenset(written)
    finished: dict[str, str] = {}
    for resource in _jobs(scene, app):
        served = scene.discovery.find(*resource.ref[:3])
        if served is None:
            continue
        live = scene.client.get(served, namespace=resource.ref.namespace, name=resource.ref.name)
        if live is None:
            before = scene.live.get(resource.ref.key)
            gone = resource.ref.key in sent or (before is not None and _complete(before))
            done = gone or finished_earlier(scene, resource)
        else:
            done = _complete(live)
        if done:
            finished[key_text(resource.ref.key)] = _digest(resource)
    return finished


def unremembered(scene: Scene, app: str) -> bool:
    """Whether a Job has completed that the record does not hold yet."""
    return any(
        _complete(scene.live.get(r.ref.key) or {}) and not finished_earlier(scene, r)
        for r in _jobs(scene, app)
    )


def _jobs(scene: Scene, app: str) -> list[Resource]:
    return [r for r in scene.resources.values() if r.app == app and goes_by_itself(r)]


def _complete(live: JsonObject) -> bool:
    return condition(live, "Complete").get("status") == "True"


def _digest(resource: Resource) -> str:
    return body_digest(identity(resource))
