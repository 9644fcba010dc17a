"""ClusterClient over HTTP: five verbs, discovery and access reviews; what answers mean is the caller's business."""

from __future__ import annotations

import builtins
import threading
from collections import Counter
from typing import NamedTuple

import orjson
from msgspec.structs import replace

from fleetmgr.adapters.kube import discovery
from fleetmgr.adapters.kube.answers import warnings_of
from fleetmgr.adapters.kube.bodies import object_in
from fleetmgr.adapters.kube.calls import Call, Query, is_segment, object_path, plural_of
from fleetmgr.adapters.kube.listing import list_pages
from fleetmgr.adapters.kube.redaction import values_of_secret
from fleetmgr.adapters.kube.transport import Transport
from fleetmgr.adapters.kube.watching import Watch
from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import Json, JsonObject, child, object_at
from fleetmgr.model.replacement import Propagation
from fleetmgr.model.timings import Requests
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import AccessQuery, ApiResource, Applied, Discovery, WatchStream
from fleetmgr.ports.cluster_errors import ObjectGone, ObjectInvalid

_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_JSON_PATCH = "application/json-patch+json"
_DRY_RUN: Query = (("dryRun", "All"),)
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class KubeClient:
    """One cluster. Thread-safe; raises ClusterErrors only. Implements ``ports.cluster.ClusterClient``."""

    def __init__(self, transport: Transport, *, clock: Clock, page_size: int = 500) -> None:
        """Connects nothing."""
        self._transport = transport
        self._clock = clock
        self._page_size = page_size
        self._discovery: Discovery | None = None
        self._discovery_lock = threading.Lock()

    @property
    def cluster(self) -> str:
        """The entry's name."""
        return self._transport.cluster

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._transport.server

    @property
    def requests(self) -> Counter[str]:
        """How many requests were sent so far, by verb (``list``, ``apply``, ``dry-run``, ...), retries included."""
        return self._transport.requests

    @property
    def spent(self) -> Requests:
        """The same with their times."""
        return self._transport.spent

    def version(self) -> str:
        """gitVersion of the server, e.g. ``v1.34.4``."""
        return str(self._fetch("/version").get("gitVersion") or "unknown")

    def discover(self, *, fresh: bool = False) -> Discovery:
        """What is served; cached unless ``fresh``."""
        with self._discovery_lock:
            if self._discovery is None or fresh:
                self._discovery = discovery.discover(self._fetch)
            return self._discovery

    def get(self, resource: ApiResource, *, namespace: str, name: str) -> JsonObject | None:
        """The object, or None on a 404 of the API server itself (a proxy's 404 raises Unreachable)."""
        call = self._object_call("GET", "get", _Place(resource, namespace, name))
        try:
            answer = self._transport.send(call)
        except ObjectGone:
            return None
        return object_in(answer, call, self.cluster)

    def list(
        self, resource: ApiResource, *, namespace: str = "", selector: str = ""
    ) -> tuple[JsonObject, ...]:
        """Every object, all pages, consistent; apiVersion and kind filled in. Raises ObjectGone for no such kind."""
        query: Query = (("labelSelector", selector),) if selector else ()
        listed = list_pages(
            self._transport, resource, namespace=namespace, query=query, page_size=self._page_size
        )
        return listed.items

    def apply(
        self,
        resource: ApiResource,
        body: JsonObject,
        *,
        manager: str,
        force: bool,
        dry_run: bool,
    ) -> Applied:
        """Server-side apply with strict field validation, as kubectl's. ``metadata.uid`` and ``resourceVersion``
        in ``body`` are fences: ObjectConflict without owners when the object is another by now."""
        metadata = object_at(body, "metadata")
        place = _Place(resource, str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))
        query: Query = (
            ("fieldManager", manager),
            ("force", str(force).lower()),
            ("fieldValidation", "Strict"),
        )
        call = self._object_call("PATCH", "patch", place)
        call = replace(
            call,
            query=(*query, *(_DRY_RUN if dry_run else ())),
            body=self._encoded(body, call),
            content_type=_APPLY,
            counted="dry-run" if dry_run else "apply",
            hidden=_hidden(resource, body),
        )
        answer = self._transport.send(call)
        return Applied(body=object_in(answer, call, self.cluster), warnings=warnings_of(answer))

    def patch(
        self,
        resource: ApiResource,
        *,
        namespace: str,
        name: str,
        operations: builtins.list[JsonObject],
        manager: str,
        dry_run: bool = False,
    ) -> JsonObject:
        """A JSON patch (RFC 6902). Sent once: only a 429 is repeated. Raises ObjectInvalid when a ``test`` fails."""
        values: JsonObject = {str(o.get("path"))[1:]: o.get("value") for o in operations}
        call = self._object_call("PATCH", "patch", _Place(resource, namespace, name))
        call = replace(
            call,
            query=(("fieldManager", manager), *(_DRY_RUN if dry_run else ())),
            body=self._encoded(operations, call),
            content_type=_JSON_PATCH,
            counted="dry-run" if dry_run else "json-patch",
            repeatable=dry_run,
            hidden=_hidden(resource, values),
        )
        return object_in(self._transport.send(call), call, self.cluster)

    def delete(
        self,
        resource: ApiResource,
        *,
        namespace: str,
        name: str,
        uid: str,
        propagation: Propagation = Propagation.BACKGROUND,
        dry_run: bool = False,
    ) -> bool:
        """Delete with a uid precondition; False when it was gone already.

        Repeating it is safe: the uid names one object for ever. ObjectConflict when another has its name by now.
        """
        options: JsonObject = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": propagation.value,
        }
        if dry_run:
            options["dryRun"] = ["All"]
        call = replace(
            self._object_call("DELETE", "delete", _Place(resource, namespace, name)),
            body=orjson.dumps(options),
            content_type=_JSON,
            counted="dry-run" if dry_run else "delete",
        )
        if not uid:
            raise self._refused(call, "a delete needs the object's uid")
        try:
            self._transport.send(call)
        except ObjectGone:
            return False
        return True

    def allowed(self, query: AccessQuery) -> bool:
        """SelfSubjectAccessReview."""
        attributes = {
            "verb": query.verb,
            "group": query.group,
            "resource": query.resource,
            "namespace": query.namespace,
        }
        body: JsonObject = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        call = Call(
            method="POST",
            path=_REVIEW,
            verb="create",
            subject="selfsubjectaccessreviews.authorization.k8s.io",
            body=orjson.dumps(body),
            content_type=_JSON,
            counted="access-review",
        )
        return child(object_in(self._transport.send(call), call, self.cluster), "status", "allowed") is True

    def watch(
        self, resource: ApiResource, *, namespace: str = "", selector: str = "", timeout: float
    ) -> WatchStream:
        """A synthetic ADDED for each present object, then changes, for ``timeout`` seconds. Close the iterator (or
        drop it) to close its connection."""
        query: Query = (("labelSelector", selector),) if selector else ()
        watch = Watch(self._transport, resource, namespace=namespace, query=query, clock=self._clock)
        return WatchStream(watch.events(timeout, self._page_size), cancel=watch.cancel)

    def close(self) -> None:
        """Drop the connections; the client may be used again."""
        self._transport.close()

    def _fetch(self, path: str) -> JsonObject:
        call = Call(
            method="GET", path=path, verb="get", subject=path, accept=discovery.ACCEPT, counted="discover"
        )
        return object_in(self._transport.send(call), call, self.cluster)

    def _object_call(self, method: str, verb: str, place: _Place) -> Call:
        """A request about one object. Raises ObjectInvalid for a name that would address something else."""
        resource, namespace, name = place
        where = f"{namespace}/{name}" if namespace else name
        call = Call(
            method=method,
            path=object_path(resource, namespace, name),
            verb=verb,
            subject=f"{plural_of(resource)} {where}",
            resource=resource,
            namespace=namespace,
            name=name,
            hidden=_hidden(resource, {}),
        )
        if not is_segment(name):
            raise self._refused(call, f"`{name}` is not a name of an object")
        if resource.namespaced and not is_segment(namespace):
            raise self._refused(call, f"`{namespace}` is not a name of a namespace")
        return call

    def _encoded(self, body: Json, call: Call) -> bytes:
        try:
            return orjson.dumps(body)
        except orjson.JSONEncodeError:
            raise self._refused(call, "it holds a value that JSON and Kubernetes have no form for") from None

    def _refused(self, call: Call, message: str) -> ObjectInvalid:
        where = Where(cluster=self.cluster, object=call.object)
        text = f"cannot {call.verb} {call.subject} on {self.cluster}: {message}"
        return ObjectInvalid(text, cluster=self.cluster, reason="Invalid", where=where)


class _Place(NamedTuple):
    resource: ApiResource
    namespace: str
    name: str


def _hidden(resource: ApiResource, body: JsonObject) -> frozenset[str] | None:
    """What no message may show: the values of a Secret; None for every other kind."""
    is_secret = resource.kind == "Secret" and not resource.group
    return values_of_secret(body) if is_secret else None
