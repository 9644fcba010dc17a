"""One cluster's API: requests only. What to ask and what answers mean is the engine's business."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.replacement import Propagation
from fleetmgr.model.timings import Requests
from fleetmgr.veiled import Veiled


class ApiResource(Struct, frozen=True, kw_only=True):
    """A served kind in one version."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: tuple[str, ...] = ()

    @property
    def group_kind(self) -> GroupKind:
        """The kind across versions."""
        return GroupKind(self.group, self.kind)


class Discovery(Struct, frozen=True, kw_only=True):
    """What a cluster serves. ``incomplete`` names groups whose discovery failed: their kinds are unknown,
    not absent."""

    resources: Mapping[tuple[str, str, str], ApiResource]
    """Keyed (group, version, kind); subresources left out."""
    preferred: Mapping[GroupKind, ApiResource]
    incomplete: tuple[str, ...] = ()

    def find(self, group: str, version: str, kind: str) -> ApiResource | None:
        """The served resource, or None."""
        return self.resources.get((group, version, kind))

    def unreadable(self, group: str) -> bool:
        """Whether absence of a kind of ``group`` proves nothing."""
        return group in self.incomplete


class Applied(Veiled, frozen=True, kw_only=True):
    """Answer to an apply: the object as stored (or as it would be), and the server's Warning headers."""

    VEILED = frozenset({"body"})

    body: JsonObject
    warnings: tuple[str, ...] = ()


class AccessQuery(Struct, frozen=True, kw_only=True):
    """A SelfSubjectAccessReview question."""

    verb: str
    group: str
    resource: str
    namespace: str = ""


class WatchEvent(Veiled, frozen=True, kw_only=True):
    """ADDED, MODIFIED or DELETED with the object; BOOKMARK and ERROR are handled below the port."""

    VEILED = frozenset({"body"})

    type: str
    body: JsonObject


class WatchStream(Iterator[WatchEvent]):
    """The events of one watch, for one thread to read; any other may ``cancel`` it."""

    def __init__(self, events: Generator[WatchEvent], *, cancel: Callable[[], None]) -> None:
        """``cancel`` makes a read that waits for the next event return at once."""
        self._events = events
        self._cancel = cancel

    def __next__(self) -> WatchEvent:
        """The next event; ends when the watch does."""
        return next(self._events)

    def close(self) -> None:
        """Drop the connection; only for the thread that reads."""
        self._events.close()

    def cancel(self) -> None:
        """End the watch from another thread: the reader sees its end."""
        self._cancel()


class ClusterClient(Protocol):
    """Thread-safe; one connection pool a cluster. Every method raises ClusterError subclasses only."""

    @property
    def cluster(self) -> str:
        """The entry's name."""
        ...

    @property
    def server(self) -> str:
        """The API server's URL."""
        ...

    def version(self) -> str:
        """gitVersion of the server, e.g. ``v1.34.4``."""
        ...

    def discover(self, *, fresh: bool = False) -> Discovery:
        """What is served (aggregated discovery where the server has it); cached unless ``fresh``."""
        ...

    def get(self, resource: ApiResource, *, namespace: str, name: str) -> JsonObject | None:
        """The object, or None on 404."""
        ...

    def list(
        self, resource: ApiResource, *, namespace: str = "", selector: str = ""
    ) -> tuple[JsonObject, ...]:
        """Every object, all pages, consistent (never resourceVersion=0). ``namespace`` "" = all.

        apiVersion and kind are filled in on each item. Raises ObjectGone when the kind is not served.
        A page that fails fails the whole list: a partial list is never returned.
        """
        ...

    def apply(
        self,
        resource: ApiResource,
        body: JsonObject,
        *,
        manager: str,
        force: bool,
        dry_run: bool,
    ) -> Applied:
        """Server-side apply of ``body`` (metadata.name and namespace say where)."""
        ...

    def patch(
        self,
        resource: ApiResource,
        *,
        namespace: str,
        name: str,
        operations: list[JsonObject],
        manager: str,
        dry_run: bool = False,
    ) -> JsonObject:
        """A JSON patch (RFC 6902), for managedFields only; a dry run may try anything."""
        ...

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
        """Delete with a uid precondition; False when it was gone already."""
        ...

    def allowed(self, query: AccessQuery) -> bool:
        """SelfSubjectAccessReview."""
        ...

    def watch(
        self, resource: ApiResource, *, namespace: str = "", selector: str = "", timeout: float
    ) -> WatchStream:
        """Changes from now on, ending after ``timeout`` seconds or when the server closes; starts with a
        synthetic ADDED for each present object."""
        ...

    def close(self) -> None:
        """Drop the connections."""
        ...


class ClusterConnector(Protocol):
    """Opens clusters by their entry."""

    def connect(self, cluster: str) -> ClusterClient:
        """A client for the entry; raises ClusterError (AuthFailed when the access cannot be used)."""
        ...

    def sent(self) -> Mapping[str, Requests]:
        """Requests sent so far by cluster, with their times."""
        ...
