"""One request as data: what goes out, what comes back, and how both are named in messages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from msgspec import Struct

from fleetmgr.ports.cluster import ApiResource
from fleetmgr.veiled import Veiled

Query = tuple[tuple[str, str], ...]


class ClientOptions(Struct, frozen=True, kw_only=True):
    """Limits of one cluster's client. Times in seconds, ``most_bytes`` after decompression."""

    pool_size: int = 8
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    deadline: float = 60.0
    """For one request with all its retries."""
    most_bytes: int = 128 << 20
    page_size: int = 500
    exec_timeout: float = 30.0


class Call(Veiled, frozen=True, kw_only=True):
    """A request. ``verb`` is RBAC's word for it, ``subject`` what it is about (``deployments.apps shop/web``),
    ``repeatable`` whether a second sending does no more than the first; ``hidden`` values never reach a message."""

    VEILED = frozenset({"body", "hidden"})

    method: str
    path: str
    verb: str
    subject: str
    query: Query = ()
    body: bytes | None = None
    content_type: str = ""
    accept: str = "application/json"
    repeatable: bool = True
    resource: ApiResource | None = None
    namespace: str = ""
    name: str = ""
    counted: str = ""
    """Under which name the request counter has it; "" = ``verb``."""
    hidden: frozenset[str] | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def object(self) -> str | None:
        """``Deployment shop/web`` for Where; None for what is no object."""
        if self.resource is None:
            return None
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.resource.kind} {place}".rstrip()


class Answer(Veiled, frozen=True, kw_only=True):
    """A complete response; ``headers`` by lower-case name, ``warnings`` the Warning headers as sent."""

    VEILED = frozenset({"body"})

    status: int
    headers: Mapping[str, str]
    body: bytes
    warnings: tuple[str, ...] = ()


def plural_of(resource: ApiResource) -> str:
    """``deployments.apps``; ``services`` for the core group."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def collection_path(resource: ApiResource, namespace: str) -> str:
    """The URL path of a kind, in one namespace or ("") everywhere."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    inside = f"/namespaces/{quote(namespace, safe='')}" if resource.namespaced and namespace else ""
    return f"{root}{inside}/{resource.plural}"


def object_path(resource: ApiResource, namespace: str, name: str) -> str:
    """The URL path of one object; see ``is_segment`` for what may be a name."""
    return f"{collection_path(resource, namespace)}/{quote(name, safe='')}"


def is_segment(name: str) -> bool:
    """Whether ``name`` can be one segment of a path (apimachinery, IsValidPathSegmentName).

    An empty name would address the whole collection, and ``..`` the namespace: a delete of either would be a
    catastrophe.
    """
    return bool(name) and name not in {".", ".."} and "/" not in name and "%" not in name
