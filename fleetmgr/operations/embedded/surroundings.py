"""The neighbours of live objects, read from the cluster when an object is not well by itself.

Who may not read pods, events or peers gets a shorter message, not an error.
"""

from __future__ import annotations

from collections.abc import Callable

from fleetmgr.model.jsontypes import JsonArray, JsonObject, array_at, child, is_array, is_object, object_at
from fleetmgr.model.objects import split_api_version
from fleetmgr.ports.cluster import ApiResource, ClusterClient, Discovery
from fleetmgr.ports.cluster_errors import AccessDenied, AuthFailed, ClusterError, ObjectGone, Unreachable

_PODS = ApiResource(group="", version="v1", kind="Pod", plural="pods", namespaced=True)
_EVENTS = ApiResource(group="", version="v1", kind="Event", plural="events", namespaced=True)
_REPLICA_SETS = ApiResource(
    group="apps", version="v1", kind="ReplicaSet", plural="replicasets", namespaced=True
)
_REVISIONS = ApiResource(
    group="apps", version="v1", kind="ControllerRevision", plural="controllerrevisions", namespaced=True
)
_SLICES = ApiResource(
    group="discovery.k8s.io", version="v1", kind="EndpointSlice", plural="endpointslices", namespaced=True
)
_REVISION = "deployment.kubernetes.io/revision"
_POD_HASH, _REVISION_HASH = "pod-template-hash", "controller-revision-hash"
_CREATIONS = ("FailedCreate", "SuccessfulCreate")


class Neighbours:
    """Implements health.surroundings.Surroundings for one moment: each list is read once."""

    def __init__(self, client: ClusterClient, discovery: Discovery, *, explain: bool = True) -> None:
        """Reads nothing yet. Without ``explain`` neither pods nor events are ever read: most workloads that are
        not well just now only need a moment."""
        self._explain = explain
        self._client = client
        self._discovery = discovery
        self._lists: dict[tuple[str, str, str], tuple[JsonObject, ...]] = {}

    def pods(self, workload: JsonObject) -> tuple[JsonObject, ...]:
        """Pods of the workload's current template."""
        selector = _selector_text(object_at(workload, "spec", "selector")) if self._explain else ""
        if not selector:
            return ()
        current = self._current(workload, selector)
        if current is None:
            return ()
        return self._list(_PODS, _namespace(workload), ",".join([selector, *current]))

    def peers(self, live: JsonObject) -> tuple[JsonObject, ...]:
        """Every object of its kind; of its namespace only, where no more may be read."""
        group, version = split_api_version(str(live.get("apiVersion", "")))
        resource = self._discovery.find(group, version, str(live.get("kind", "")))
        if resource is None:
            return ()
        return self._list(resource, "", "") or self._list(resource, _namespace(live), "")

    def warnings(self, live: JsonObject) -> tuple[str, ...]:
        """Why its pods cannot be created: the newest event about creating them, when it says so."""
        if not self._explain:
            return ()
        uid = child(live, "metadata", "uid")
        about = [
            event
            for event in self._list(_EVENTS, _namespace(live), "")
            if child(event, "involvedObject", "uid") == uid and event.get("reason") in _CREATIONS
        ]
        newest = max(about, key=_time, default=None)
        if newest is None or newest.get("reason") != "FailedCreate":
            return ()
        return (f"FailedCreate: {newest.get('message') or 'its pods cannot be created'}",)

    def endpoints(self, namespace: str, service: str) -> tuple[JsonObject, ...] | None:
        """The EndpointSlices of a Service; None where they may not be read."""
        try:
            return self._client.list(
                _SLICES, namespace=namespace, selector=f"kubernetes.io/service-name={service}"
            )
        except (AccessDenied, ObjectGone):
            return None

    def serves(self, group: str) -> bool:
        """Whether the cluster serves an API group, as far as discovery could see."""
        known = any(resource.group == group for resource in self._discovery.resources.values())
        return known or self._discovery.unreadable(group)

    def _current(self, workload: JsonObject, selector: str) -> list[str] | None:
        """What the labels of pods of the current template add to the selector; None when it cannot be told."""
        match workload.get("kind"):
            case "Deployment":
                wanted = object_at(workload, "metadata", "annotations").get(_REVISION)
                sets = self._list(_REPLICA_SETS, _namespace(workload), selector)
                return _label_of(sets, _POD_HASH, lambda s: _annotation(s, _REVISION) == wanted)
            case "DaemonSet":
                revisions = self._list(_REVISIONS, _namespace(workload), selector)
                newest = max((int(r.get("revision") or 0) for r in revisions), default=0)
                return _label_of(revisions, _REVISION_HASH, lambda r: r.get("revision") == newest)
            case _:  # a StatefulSet waits for a broken pod of the old template as well (kubernetes#67250)
                return []

    def _list(self, resource: ApiResource, namespace: str, selector: str) -> tuple[JsonObject, ...]:
        key = (resource.plural, namespace, selector)
        if key not in self._lists:
            try:
                self._lists[key] = self._client.list(resource, namespace=namespace, selector=selector)
            except (Unreachable, AuthFailed):
                raise
            except ClusterError:
                self._lists[key] = ()
        return self._lists[key]


def _label_of(
    bodies: tuple[JsonObject, ...], label: str, wanted: Callable[[JsonObject], bool]
) -> list[str] | None:
    for body in bodies:
        value = object_at(body, "metadata", "labels").get(label)
        if value and wanted(body):
            return [f"{label}={value}"]
    return None


def _selector_text(selector: JsonObject) -> str:
    """A LabelSelector as the API's query parameter; "" for one that selects nothing or everything."""
    parts = [f"{key}={value}" for key, value in object_at(selector, "matchLabels").items()]
    for item in array_at(selector, "matchExpressions"):
        if not is_object(item):
            continue
        key, values = str(item.get("key")), item.get("values")
        listed: JsonArray = values if is_array(values) else []
        inside = ",".join(str(value) for value in listed)
        match item.get("operator"):
            case "In":
                parts.append(f"{key} in ({inside})")
            case "NotIn":
                parts.append(f"{key} notin ({inside})")
            case "Exists":
                parts.append(key)
            case _:
                parts.append(f"!{key}")
    return ",".join(parts)


def _annotation(body: JsonObject, name: str) -> str | None:
    return object_at(body, "metadata", "annotations").get(name)


def _namespace(body: JsonObject) -> str:
    return str(child(body, "metadata", "namespace") or "")


def _time(event: JsonObject) -> str:
    series = child(event, "series", "lastObservedTime")
    return str(series or event.get("lastTimestamp") or event.get("eventTime") or "")
