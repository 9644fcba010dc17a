"""FakeCluster: a ClusterClient in memory with the semantics that the engine decides by.

Server-side apply with managedFields, conflicts and force, dry run, uid and resourceVersion fences, namespaces that
must exist, CRDs that add kinds, deletes with a uid precondition and cascade by ownerReferences, watches of what is
there. ``edit`` and ``create`` act as other people do; ``settle`` acts as the controllers. What it does not have:
admission, quotas, defaulting beyond a few fields, schemas of custom resources, versions that convert. Compared with
a kube-apiserver 1.34 on 190 random sequences of applies by two managers: equal in conflicts, managedFields and
values, but for the order of a list item in 2 of them.
"""

from __future__ import annotations

import builtins
import copy
import threading
from collections import Counter
from collections.abc import Callable, Generator
from typing import TypeVar

from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at
from fleetmgr.model.objects import ObjectKey, split_api_version
from fleetmgr.model.replacement import Propagation
from fleetmgr.model.selector import parse_selector
from fleetmgr.ports.cluster import AccessQuery, ApiResource, Applied, Discovery, WatchEvent, WatchStream
from fleetmgr.ports.cluster_errors import (
    AccessDenied,
    ApiRejected,
    ClusterError,
    ObjectConflict,
    ObjectGone,
    ObjectInvalid,
)
from tests.fakes import applying, settling
from tests.fakes.json_patch import PatchFailed, patched
from tests.fakes.kinds import BUILT_IN, as_discovery, built_in, defined_by
from tests.fakes.validity import causes, defaulted, objection

Fault = Callable[[str, ApiResource | None], ClusterError | None]
Refusal = TypeVar("Refusal", bound=ApiRejected)
_NOT_SERVED = "the server does not serve this kind"
Place = tuple[ApiResource, str, str]
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class FakeCluster:
    """Implements ports.cluster.ClusterClient. ``fault`` may answer any request with an error; ``denied`` holds
    (verb, plural) pairs that RBAC refuses; ``leaving`` namespaces
    are being deleted; ``incomplete`` names groups whose discovery fails; ``behind`` holds what an APIService serves
    once it is settled."""

    def __init__(self, cluster: str = "fake-1") -> None:
        self._cluster = cluster
        self._lock = threading.RLock()
        self._objects: dict[ObjectKey, JsonObject] = {}
        self._resources = builtins.list(BUILT_IN)
        self._discovered: Discovery | None = None
        self._version = 1  # etcd's revision before its first write: no object ever has it
        self._counted: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.denied: set[tuple[str, str]] = set()
        self.incomplete: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.leaving: set[str] = set()
        self.behind: dict[str, tuple[ApiResource, ...]] = {}
        for name in NAMESPACES:
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    @property
    def cluster(self) -> str:
        return self._cluster

    @property
    def server(self) -> str:
        return f"https://{self._cluster}.invalid"

    @property
    def requests(self) -> Counter[str]:
        return Counter(self._counted)

    def version(self) -> str:
        self._enter("version", None)
        return "v1.34.4"

    def discover(self, *, fresh: bool = False) -> Discovery:
        with self._lock:
            if self._discovered is None or fresh:
                self._enter("discover", None)
                shown = [resource for resource in self._resources if resource.group not in self.incomplete]
                self._discovered = as_discovery(shown, self.incomplete)
            return self._discovered

    def get(self, resource: ApiResource, *, namespace: str, name: str) -> JsonObject | None:
        with self._lock:
            self._enter("get", resource)
            live = self._objects.get(_key(resource, namespace, name))
            return copy.deepcopy(live)

    def list(
        self, resource: ApiResource, *, namespace: str = "", selector: str = ""
    ) -> tuple[JsonObject, ...]:
        with self._lock:
            self._enter("list", resource)
            if not self._serves(resource):
                raise self._error(
                    ObjectGone, (resource, "", ""), "the server does not serve this kind", 404, "NotFound"
                )
            wanted = parse_selector(selector)
            found = [
                body
                for key, body in sorted(self._objects.items())
                if (key.group, key.kind) == (resource.group, resource.kind)
                and (not namespace or key.namespace == namespace)
                and wanted.matches(object_at(body, "metadata", "labels"))
            ]
            return tuple(copy.deepcopy(found))

    def apply(
        self,
        resource: ApiResource,
        body: JsonObject,
        *,
        manager: str,
        force: bool,
        dry_run: bool,
    ) -> Applied:
        metadata = object_at(body, "metadata")
        namespace = str(metadata.get("namespace") or "") if resource.namespaced else ""
        name = str(metadata.get("name") or "")
        with self._lock:
            self._enter("patch", resource, counted="dry-run" if dry_run else "apply")
            self._check_place(resource, namespace, name)
            live = self._objects.get(_key(resource, namespace, name))
            self._check_fences(resource, namespace, name, metadata, live)
            refusal = objection(body)
            if refusal:
                raise self._error(ObjectInvalid, (resource, namespace, name), refusal, 422, "Invalid")
            try:
                result = applying.apply(live, body, manager=manager, force=force, time=self._time())
            except applying.Conflicts as conflicts:
                first = conflicts.owners[0]
                text = f'Apply failed: conflict with "{first.manager}": {first.field}'
                error = self._error(ObjectConflict, (resource, namespace, name), text, 409, "Conflict")
                error.owners = conflicts.owners
                raise error from None
            self._check_valid(resource, namespace, name, result, live)
            stored = self._store(resource, namespace, name, result, dry_run=dry_run)
            return Applied(body=copy.deepcopy(stored), warnings=self.warnings)

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
        with self._lock:
            self._enter("patch", resource, counted="dry-run" if dry_run else "json-patch")
            live = self._live(resource, namespace, name)
            try:
                after = patched(live, operations)
            except PatchFailed as failed:
                raise self._error(
                    ObjectInvalid, (resource, namespace, name), str(failed), 422, "Invalid"
                ) from None
            self._check_fences(resource, namespace, name, object_at(after, "metadata"), live)
            if child(after, "metadata", "managedFields") != child(live, "metadata", "managedFields"):
                result = after
                applying.keep_identity(result, live)
            else:
                result = applying.update(live, after, manager=manager, time=self._time())
            return copy.deepcopy(self._store(resource, namespace, name, result, dry_run=dry_run))

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
        with self._lock:
            self._enter("delete", resource, counted="dry-run" if dry_run else "delete")
            self._check_name(resource, namespace, name)
            key = _key(resource, namespace, name)
            live = self._objects.get(key)
            if live is None:
                return False
            if live["metadata"]["uid"] != uid:
                text = f"the UID in the precondition ({uid}) does not match"
                raise self._error(ObjectConflict, (resource, namespace, name), text, 409, "Conflict")
            if not dry_run:
                if propagation is Propagation.ORPHAN:
                    self._orphan(uid)
                if array_at(live, "metadata", "finalizers"):
                    live["metadata"]["deletionTimestamp"] = self._time()
                else:
                    self._remove(key)
            return True

    def allowed(self, query: AccessQuery) -> bool:
        self._enter("access-review", None)
        return (query.verb, query.resource) not in self.denied

    def watch(
        self, resource: ApiResource, *, namespace: str = "", selector: str = "", timeout: float
    ) -> WatchStream:
        del timeout  # the fake closes the watch after what is there; watching again sees what is new

        def events() -> Generator[WatchEvent]:
            for body in self.list(resource, namespace=namespace, selector=selector):
                yield WatchEvent(type="ADDED", body=body)

        return WatchStream(events(), cancel=lambda: None)

    def close(self) -> None:
        return

    # -- what other people and controllers do ------------------------------------------------------------------

    def create(self, body: JsonObject, *, manager: str = "kubectl-create") -> JsonObject:
        """Store ``body`` as a POST or PUT by ``manager`` would (an Update entry); returns what is stored."""
        with self._lock:
            resource = self.resource_of(body)
            metadata = object_at(body, "metadata")
            namespace, name = str(metadata.get("namespace") or ""), str(metadata["name"])
            self._check_place(resource, namespace, name)
            live = self._objects.get(_key(resource, namespace, name))
            after = applying.update(live, body, manager=manager, time=self._time())
            return copy.deepcopy(self._store(resource, namespace, name, after, dry_run=False))

    def edit(
        self, kind: str, namespace: str, name: str, changes: JsonObject, *, manager: str = "kubectl-edit"
    ) -> JsonObject:
        """A merge patch (RFC 7386) of an object by ``manager``; returns what is stored."""
        with self._lock:
            key = next(key for key in self._objects if key[1:] == (kind, namespace, name))
            after = copy.deepcopy(self._objects[key])
            _merge_patch(after, changes)
            return self.create(after, manager=manager)

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object by hand."""
        with self._lock:
            self._remove(next(key for key in self._objects if key[1:] == (kind, namespace, name)))

    def finalize(self, kind: str, namespace: str, name: str) -> None:
        """Take the finalizers off: an object that is being deleted goes."""
        with self._lock:
            key = next(key for key in self._objects if key[1:] == (kind, namespace, name))
            metadata = self._objects[key]["metadata"]
            metadata.pop("finalizers", None)
            if metadata.get("deletionTimestamp"):
                self._remove(key)

    def settle(self) -> None:
        """Let the controllers finish: every status healthy, an EndpointSlice for every Service."""
        with self._lock:
            for body in builtins.list(self._objects.values()):
                if body["kind"] == "Service" and child(body, "spec", "selector"):
                    self.create(settling.endpoint_slice(body), manager="kube-controller-manager")
                status = settling.status_of(body)
                if status is not None and body.get("status") != status:
                    after = {**copy.deepcopy(body), "status": status}
                    self._write_status(after)
                if body["kind"] == "APIService":
                    self._resources += self.behind.pop(str(child(body, "metadata", "name")), ())

    def body(self, kind: str, namespace: str, name: str) -> JsonObject | None:
        """The stored object, not counted as a request."""
        found = [body for key, body in self._objects.items() if key[1:] == (kind, namespace, name)]
        return copy.deepcopy(found[0]) if found else None

    def everything(self) -> builtins.list[JsonObject]:
        """Every stored object, not counted as a request."""
        return copy.deepcopy(builtins.list(self._objects.values()))

    def resource_of(self, body: JsonObject) -> ApiResource:
        """The served resource of a body. Raises ObjectGone."""
        group, version = split_api_version(str(body["apiVersion"]))
        for resource in self._resources:
            if (resource.group, resource.version, resource.kind) == (group, version, body["kind"]):
                return resource
        raise ObjectGone(
            f"{body['kind']} is not served", cluster=self._cluster, status=404, reason="NotFound"
        )

    # -- storage -----------------------------------------------------------------------------------------------

    def _enter(self, verb: str, resource: ApiResource | None, *, counted: str = "") -> None:
        with self._lock:
            self._counted[counted or verb] += 1
        error = self.fault(verb, resource) if self.fault is not None else None
        if error is not None:
            raise error
        if resource is not None and (verb, resource.plural) in self.denied:
            text = f"cannot {verb} {resource.plural} on {self._cluster}: forbidden"
            raise AccessDenied(text, cluster=self._cluster)

    def _serves(self, resource: ApiResource) -> bool:
        wanted = (resource.group, resource.version, resource.kind)
        return any((r.group, r.version, r.kind) == wanted for r in self._resources)

    def _live(self, resource: ApiResource, namespace: str, name: str) -> JsonObject:
        live = self._objects.get(_key(resource, namespace, name))
        if live is None:
            raise self._error(ObjectGone, (resource, namespace, name), "not found", 404, "NotFound")
        return live

    def _check_place(self, resource: ApiResource, namespace: str, name: str) -> None:
        if not self._serves(resource):
            raise self._error(ObjectGone, (resource, namespace, name), _NOT_SERVED, 404, "NotFound")
        self._check_name(resource, namespace, name)
        if resource.namespaced and _key(built_in("Namespace"), "", namespace) not in self._objects:
            text = f'namespaces "{namespace}" not found'
            raise self._error(ObjectGone, (resource, namespace, name), text, 404, "NotFound")
        if namespace in self.leaving and _key(resource, namespace, name) not in self._objects:
            text = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise self._error(ApiRejected, (resource, namespace, name), text, 403, "NamespaceTerminating")

    def _check_name(self, resource: ApiResource, namespace: str, name: str) -> None:
        if name in {"", ".", ".."} or "/" in name or (resource.namespaced and not namespace):
            raise self._error(
                ObjectInvalid, (resource, namespace, name), "name and namespace are required", 0, "Invalid"
            )

    def _check_valid(
        self, resource: ApiResource, namespace: str, name: str, after: JsonObject, live: JsonObject | None
    ) -> None:
        found = causes(resource, after, live)
        if found:
            text = "; ".join(f"{cause.field}: {cause.detail}" for cause in found)
            error = self._error(ObjectInvalid, (resource, namespace, name), text, 422, "Invalid")
            error.causes = found
            raise error

    def _orphan(self, uid: str) -> None:
        for body in self._objects.values():
            owners = array_at(body, "metadata", "ownerReferences")
            if any(owner.get("uid") == uid for owner in owners):
                body["metadata"]["ownerReferences"] = [o for o in owners if o.get("uid") != uid]

    def _check_fences(
        self, resource: ApiResource, namespace: str, name: str, metadata: JsonObject, live: JsonObject | None
    ) -> None:
        """As the real one: a uid must match, even on creation; a resourceVersion only where something is."""
        has = object_at(live or {}, "metadata")
        uid, version = metadata.get("uid"), metadata.get("resourceVersion")
        if (uid and uid != has.get("uid")) or (
            version and live is not None and version != has.get("resourceVersion")
        ):
            text = (
                "the object has been modified; please apply your changes to the latest version and try again"
            )
            raise self._error(ObjectConflict, (resource, namespace, name), text, 409, "Conflict")

    def _store(
        self, resource: ApiResource, namespace: str, name: str, body: JsonObject, *, dry_run: bool
    ) -> JsonObject:
        """Give the object its identity and versions; an unchanged one stays as it is."""
        key = _key(resource, namespace, name)
        live = self._objects.get(key)
        result = defaulted(copy.deepcopy(body))
        metadata = result["metadata"]
        if live is not None and _comparable(result) == _comparable(live):
            return live
        if live is None:
            metadata.update(
                uid=f"uid-{self._cluster}-{self._version + 1}", creationTimestamp=self._time(), generation=1
            )
        elif _specified(result) != _specified(live):
            metadata["generation"] = live["metadata"].get("generation", 1) + 1
        if dry_run and live is not None:  # the answer to a dry run says of which version it is
            metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
        else:
            metadata["resourceVersion"] = str(self._version + 1)
        if not dry_run:
            self._version += 1
            self._objects[key] = result
            self._serve_defined(result)
        return result

    def _write_status(self, after: JsonObject) -> None:
        resource = self.resource_of(after)
        metadata = after["metadata"]
        namespace, name = str(metadata.get("namespace") or ""), str(metadata["name"])
        live = self._live(resource, namespace, name)
        result = applying.update(
            live, after, manager="kube-controller-manager", time=self._time(), subresource="status"
        )
        self._store(resource, namespace, name, result, dry_run=False)

    def _serve_defined(self, body: JsonObject) -> None:
        if body["kind"] == "CustomResourceDefinition":
            known = {(r.group, r.version, r.kind) for r in self._resources}
            new = [r for r in defined_by(body) if (r.group, r.version, r.kind) not in known]
            self._resources += new
            if "status" not in body:
                body["status"] = settling.status_of(body)

    def _remove(self, key: ObjectKey) -> None:
        body = self._objects.pop(key, None)
        if body is None:
            return
        self._version += 1
        uid = body["metadata"]["uid"]
        for other, candidate in builtins.list(self._objects.items()):
            owners = {owner.get("uid") for owner in array_at(candidate, "metadata", "ownerReferences")}
            if uid in owners or (key.kind == "Namespace" and other.namespace == key.name):
                self._remove(other)
        if key.kind == "CustomResourceDefinition":
            gone = {(r.group, r.kind) for r in defined_by(body)}
            self._resources = [r for r in self._resources if (r.group, r.kind) not in gone]
            for other in [k for k in self._objects if (k.group, k.kind) in gone]:
                self._remove(other)

    def _time(self) -> str:
        return f"2026-01-01T{self._version // 3600 % 24:02}:{self._version // 60 % 60:02}:{self._version % 60:02}Z"

    def _error(self, kind: type[Refusal], place: Place, text: str, status: int, reason: str) -> Refusal:
        resource, namespace, name = place
        shown = f"{resource.kind} {namespace}/{name}" if namespace else f"{resource.kind} {name}"
        where = Where(cluster=self._cluster, object=shown)
        return kind(text, cluster=self._cluster, status=status, reason=reason, where=where)


def _key(resource: ApiResource, namespace: str, name: str) -> ObjectKey:
    return ObjectKey(resource.group, resource.kind, namespace if resource.namespaced else "", name)


def _comparable(body: JsonObject) -> JsonObject:
    return {**body, "metadata": {**body["metadata"], "resourceVersion": "", "generation": 0}}


def _specified(body: JsonObject) -> JsonObject:
    return {key: value for key, value in body.items() if key not in {"metadata", "status", "apiVersion"}}


def _merge_patch(body: JsonObject, changes: JsonObject) -> None:
    for key, value in changes.items():
        if value is None:
            body.pop(key, None)
        elif is_object(value) and is_object(body.get(key)):
            _merge_patch(body[key], value)
        else:
            body[key] = copy.deepcopy(value)
