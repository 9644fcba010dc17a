"""``fleet status APP``: down to pods and warnings. Reads only.

What belongs to the app follows ownerReferences from its live objects: ReplicaSets and Jobs, then pods. So a
custom workload (a Rollout, a database of an operator) is followed as well as a Deployment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from fleetmgr.errors import FleetError
from fleetmgr.health.pods import blocked, unscheduled
from fleetmgr.model.app_status import AppStatus, Inside, PodState, Warned
from fleetmgr.model.event import EventSink
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at
from fleetmgr.model.objects import ObjectKey, ref_of
from fleetmgr.model.report import ClusterState
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.status import status
from fleetmgr.operations.walk import Walk
from fleetmgr.ports.cluster import ApiResource

_MOST_WARNINGS = 10
_PODS = ApiResource(group="", version="v1", kind="Pod", plural="pods", namespaced=True)
_EVENTS = ApiResource(group="", version="v1", kind="Event", plural="events", namespaced=True)
_BETWEEN = (
    ApiResource(group="apps", version="v1", kind="ReplicaSet", plural="replicasets", namespaced=True),
    ApiResource(group="batch", version="v1", kind="Job", plural="jobs", namespaced=True),
)


class ReadList(Protocol):
    """``ClusterClient.list``."""

    def __call__(self, resource: ApiResource, *, namespace: str) -> tuple[JsonObject, ...]:
        """Every object of a namespace; raises ClusterError."""
        ...


def status_app(walk: Walk, app: str, selection: Selection, sink: EventSink) -> AppStatus:
    """The app on every selected cluster; raises as ``status`` does, for an unknown app as well."""
    found = status(walk, replace(selection, apps=(app,)), sink)
    there = [state for state in found.clusters if state.failure is None and state.targets]

    def one(state: ClusterState) -> Inside:
        scene, target = walk.scenes[state.cluster], state.targets[0]
        live = [scene.live[o.ref.key] for o in target.objects if o.ref.key in scene.live]
        return inside(state.cluster, live, scene.client.list)

    insides = across(one, there, parallel=walk.parallel, stop=walk.stop)
    return AppStatus(app=app, status=found, insides=tuple(insides))


def inside(cluster: str, live: Sequence[JsonObject], read: ReadList) -> Inside:
    """What belongs to the live objects of an app, and the warnings about all of it."""
    reader = _Reader(read, sorted({ref_of(body).namespace for body in live} - {""}))
    owners = {_uid(body): ref_of(body).short for body in live}
    belonging = list(live)
    for resource in (*_BETWEEN, _PODS):
        owned = [body for body in reader.list(resource) if _owner(body, owners)]
        belonging += owned
        owners |= {_uid(body): _owner(body, owners) for body in owned}
    pods = {ref_of(b).key: b for b in belonging if ref_of(b).key.group_kind == _PODS.group_kind}
    warnings = _warnings(reader.list(_EVENTS), belonging)
    return Inside(
        cluster=cluster,
        pods=tuple(_pod(body, owners) for _, body in sorted(pods.items())),
        warnings=tuple(warnings[:_MOST_WARNINGS]),
        notes=tuple(reader.notes),
    )


class _Reader:
    """Lists of the app's namespaces; what may not be read is a note, not a failure."""

    def __init__(self, read: ReadList, namespaces: Sequence[str]) -> None:
        self._read = read
        self._namespaces = namespaces
        self.notes: list[str] = []

    def list(self, resource: ApiResource) -> Iterable[JsonObject]:
        found: list[JsonObject] = []
        for namespace in self._namespaces:
            try:
                found += self._read(resource, namespace=namespace)
            except FleetError as error:
                self.notes.append(f"{resource.plural} of {namespace} cannot be read: {error.message}")
        return found


def _uid(body: JsonObject) -> str:
    return str(object_at(body, "metadata").get("uid", ""))


def _owner(body: JsonObject, owners: Mapping[str, str]) -> str:
    """The app's object that ``body`` comes from; "" when none."""
    for reference in array_at(body, "metadata", "ownerReferences"):
        uid = str(reference.get("uid", "")) if is_object(reference) else ""
        if uid in owners:
            return owners[uid]
    return ""


def _pod(body: JsonObject, owners: Mapping[str, str]) -> PodState:
    statuses = [s for s in array_at(body, "status", "containerStatuses") if is_object(s)]
    metadata = object_at(body, "metadata")
    deleted = "is being deleted" if metadata.get("deletionTimestamp") else ""
    said = str(child(body, "status", "reason") or child(body, "status", "message") or "")
    return PodState(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        owner=owners.get(_uid(body), ""),
        phase=str(child(body, "status", "phase") or "Pending"),
        ready=sum(bool(s.get("ready")) for s in statuses),
        containers=len(array_at(body, "spec", "containers")),
        restarts=sum(_number(s.get("restartCount")) for s in statuses),
        node=str(child(body, "spec", "nodeName") or ""),
        reason=deleted or blocked(body) or unscheduled(body) or said,
        since=str(metadata.get("creationTimestamp") or "") or None,
    )


def _warnings(events: Iterable[JsonObject], bodies: Sequence[JsonObject]) -> list[Warned]:
    """About these objects, newest first; the same reason for one object once."""
    uids = {_uid(body) for body in bodies}
    keys = {ref_of(body).key for body in bodies}
    found: dict[tuple[str, str], Warned] = {}
    for event in events:
        about = object_at(event, "involvedObject")
        if event.get("type") != "Warning" or not (about.get("uid") in uids or _key(about) in keys):
            continue
        name = f"{about.get('kind')} {about.get('namespace')}/{about.get('name')}"
        warned = Warned(
            object=name,
            reason=str(event.get("reason") or ""),
            message=str(event.get("message") or ""),
            count=_number(child(event, "series", "count") or event.get("count")) or 1,
            last=_last(event),
        )
        other = found.get((name, warned.reason))
        if other is None or warned.last > other.last:
            found[(name, warned.reason)] = warned
    return sorted(found.values(), key=lambda w: w.last, reverse=True)


def _key(about: JsonObject) -> ObjectKey:
    body: JsonObject = {"apiVersion": about.get("apiVersion"), "kind": about.get("kind"), "metadata": about}
    return ref_of(body).key


def _last(event: JsonObject) -> str:
    series = child(event, "series", "lastObservedTime")
    return str(series or event.get("lastTimestamp") or event.get("eventTime") or "")


def _number(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0
