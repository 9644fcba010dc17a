"""The cluster as a run sees it that holds the lease: every write is checked first, and records are written only
over what an earlier holder wrote, so that a run that was passed over cannot undo what its successor remembers."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from msgspec.structs import replace

from fleetmgr.engine.inventory import fence_of
from fleetmgr.model.applyset import FENCE_ANNOTATION, ID_LABEL, SYSTEM_NAMESPACE, parent_name
from fleetmgr.model.event import EventSink
from fleetmgr.model.jsontypes import JsonObject, object_at
from fleetmgr.model.replacement import Propagation
from fleetmgr.operations.embedded.lease import LockRequest, Tenure, acquire, renewed
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.cluster import AccessQuery, ApiResource, Applied, ClusterClient, Discovery, WatchStream
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError, ObjectConflict, ObjectGone
from fleetmgr.ports.stop import Stop

_TRIES = 4


@contextmanager
def exclusively(  # noqa: PLR0913 - what a run is
    scene: Scene,
    request: LockRequest | None,
    *,
    plan_id: str,
    clock: Clock,
    stop: Stop,
    sink: EventSink,
    warn: Callable[[str], None],
) -> Generator[Scene]:
    """``scene`` to write to inside the block while nobody else may; None asks for no lease.

    Where Leases may not be used, the run goes on without one and ``warn`` is told. Raises Locked and ClusterError;
    writes inside raise LeaseLost once the lease is gone.
    """
    tenure = None
    if request is not None:
        floor = max((parent.fence for parent in scene.parents.values()), default=0)
        try:
            tenure = acquire(
                scene.client,
                scene.entry,
                request,
                plan_id=plan_id,
                floor=floor,
                clock=clock,
                stop=stop,
                sink=sink,
            )
        except (AccessDenied, ObjectGone) as error:
            warn(_without_lease(error))
    if tenure is None:
        yield scene
        return
    versions = {
        parent_name(scene.entry.fleet, scene.entry.cluster, app): parent.version
        for app, parent in scene.parents.items()
    }
    fenced: ClusterClient = FencedClient(scene.client, tenure, versions)
    with renewed(tenure):
        yield replace(scene, client=fenced)


def _without_lease(error: ClusterError) -> str:
    return (
        f"no lease was taken: {error.message}. Nothing keeps another run from applying to this cluster at the same "
        f"time; to be safe, allow get and patch of leases.coordination.k8s.io in {SYSTEM_NAMESPACE}"
    )


class FencedClient:
    """Implements ports.cluster.ClusterClient over another one. Reads and dry runs pass."""

    def __init__(self, client: ClusterClient, tenure: Tenure, versions: Mapping[str, str]) -> None:
        """``versions``: resourceVersion of each parent as it was read, by name."""
        self._client = client
        self._tenure = tenure
        self._versions = dict(versions)

    @property
    def cluster(self) -> str:
        """As the client's."""
        return self._client.cluster

    @property
    def server(self) -> str:
        """As the client's."""
        return self._client.server

    def version(self) -> str:
        """As the client's."""
        return self._client.version()

    def discover(self, *, fresh: bool = False) -> Discovery:
        """As the client's."""
        return self._client.discover(fresh=fresh)

    def get(self, resource: ApiResource, *, namespace: str, name: str) -> JsonObject | None:
        """As the client's."""
        return self._client.get(resource, namespace=namespace, name=name)

    def list(
        self, resource: ApiResource, *, namespace: str = "", selector: str = ""
    ) -> tuple[JsonObject, ...]:
        """As the client's."""
        return self._client.list(resource, namespace=namespace, selector=selector)

    def apply(
        self, resource: ApiResource, body: JsonObject, *, manager: str, force: bool, dry_run: bool
    ) -> Applied:
        """As the client's, if the lease holds. Raises LeaseLost."""
        if dry_run:
            return self._client.apply(resource, body, manager=manager, force=force, dry_run=True)
        self._tenure.check()
        metadata = object_at(body, "metadata")
        is_parent = metadata.get("namespace") == SYSTEM_NAMESPACE and ID_LABEL in object_at(
            metadata, "labels"
        )
        if is_parent:
            return self._apply_parent(resource, body, manager=manager)
        return self._client.apply(resource, body, manager=manager, force=force, dry_run=False)

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
        """As the client's, if the lease holds. Raises LeaseLost."""
        if not dry_run:
            self._tenure.check()
        return self._client.patch(
            resource,
            namespace=namespace,
            name=name,
            operations=operations,
            manager=manager,
            dry_run=dry_run,
        )

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
        """As the client's, if the lease holds. Raises LeaseLost."""
        if not dry_run:
            self._tenure.check()
        return self._client.delete(
            resource, namespace=namespace, name=name, uid=uid, propagation=propagation, dry_run=dry_run
        )

    def allowed(self, query: AccessQuery) -> bool:
        """As the client's."""
        return self._client.allowed(query)

    def watch(
        self, resource: ApiResource, *, namespace: str = "", selector: str = "", timeout: float
    ) -> WatchStream:
        """As the client's."""
        return self._client.watch(resource, namespace=namespace, selector=selector, timeout=timeout)

    def close(self) -> None:
        """As the client's."""
        self._client.close()

    def _apply_parent(self, resource: ApiResource, body: JsonObject, *, manager: str) -> Applied:
        """Write a record over the version that we know, with our token in it; never over a later holder's."""
        name = str(object_at(body, "metadata")["name"])
        version = self._versions.get(name)
        for attempt in range(_TRIES):
            if version is None:
                version = self._looked_at(resource, name)
            try:
                applied = self._client.apply(
                    resource, self._marked(body, version), manager=manager, force=True, dry_run=False
                )
            except ObjectConflict:
                if attempt == _TRIES - 1:
                    raise
                version = None
            else:
                self._versions[name] = str(object_at(applied.body, "metadata").get("resourceVersion") or "")
                return applied
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _looked_at(self, resource: ApiResource, name: str) -> str:
        """The version to write over; "" where there is nothing. Raises LeaseLost."""
        live = self._client.get(resource, namespace=SYSTEM_NAMESPACE, name=name)
        if live is None:
            return ""
        if fence_of(live) > self._tenure.token:
            raise self._tenure.lose(f"a later run has written the record {name}")
        return str(object_at(live, "metadata")["resourceVersion"])

    def _marked(self, body: JsonObject, version: str) -> JsonObject:
        metadata = object_at(body, "metadata")
        annotations = {**object_at(metadata, "annotations"), FENCE_ANNOTATION: str(self._tenure.token)}
        fence = {"resourceVersion": version} if version else {}
        return {**body, "metadata": {**metadata, "annotations": annotations, **fence}}
