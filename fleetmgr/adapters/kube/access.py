"""What a cluster entry says about its way in, and what that comes to: an Endpoint and Credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol
from urllib.parse import quote

from msgspec import Struct

from fleetmgr.errors import Where
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.cluster_errors import AuthFailed
from fleetmgr.veiled import Veiled


class Impersonation(Struct, frozen=True, kw_only=True):
    """``access.impersonate``, or ``as``, ``as-uid``, ``as-groups`` and ``as-user-extra`` of a kubeconfig user."""

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The request headers, repeated ones included; keys of extra are escaped as client-go does."""
        uid = (("Impersonate-Uid", self.uid),) if self.uid else ()
        groups = tuple(("Impersonate-Group", group) for group in self.groups)
        extra = tuple((f"Impersonate-Extra-{quote(key, safe='')}", value) for key, value in self.extra)
        return (("Impersonate-User", self.user), *uid, *groups, *extra)


class AccessSettings(Struct, frozen=True, kw_only=True):
    """``clusters[].access`` of one entry. ``kubeconfig`` is an absolute path or starts with ``~/``; without it
    ``KUBECONFIG`` (a list, merged) and then ``~/.kube/config`` are read. Without ``context`` the current one."""

    kubeconfig: str | None = None
    context: str | None = None
    in_cluster: bool = False
    impersonation: Impersonation | None = None
    """Goes before what the kubeconfig says."""


class AccessUnusable(AuthFailed):
    """The kubeconfig, a file it names, or a credential plugin cannot give us a way in."""

    code: ClassVar[str] = "FLT-3010"


class AccessFault(Exception):
    """Why access cannot be used, before it is known for which cluster entry (plugins are shared by several)."""

    def __init__(self, message: str, *, hint: str | None = None, file: str | None = None) -> None:
        """``message`` holds no credential."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file

    def for_cluster(self, cluster: str, source: str = "") -> AccessUnusable:
        """The error that a user of ``cluster`` sees; ``source`` is Access.source, once it is known."""
        where = Where(file=self.file, cluster=cluster)
        through = f" through {source}" if source else ""
        message = f"no access to {cluster}{through}: {self.message}"
        return AccessUnusable(message, cluster=cluster, where=where, hint=self.hint)


class Endpoint(Veiled, frozen=True, kw_only=True):
    """Where an API server is and how to know it. ``authority`` None = the system's certificate authorities."""

    VEILED = frozenset({"authority", "proxy"})

    server: str
    authority: bytes | None = None
    verify: bool = True
    tls_server_name: str | None = None
    proxy: str | None = None


class ClientCertificate(Veiled, frozen=True, kw_only=True):
    """PEM texts."""

    VEILED = frozenset({"certificate", "key"})

    certificate: bytes
    key: bytes


class Credential(Veiled, frozen=True, kw_only=True):
    """What goes with a request. Compared by value: an equal one is no news."""

    VEILED = frozenset({"authorization", "certificate"})

    authorization: str | None = None
    certificate: ClientCertificate | None = None


class Credentials(Protocol):
    """Thread-safe source of Credentials; raises AccessFault."""

    def current(self) -> Credential:
        """The credential to use now, renewed when it is about to expire."""
        ...

    def renewed(self, stale: Credential) -> Credential | None:
        """A credential other than ``stale``, which the server refused; None when there is no other."""
        ...


class Access(Struct, frozen=True, kw_only=True):
    """A way in, ready for the transport. ``source`` says where it was written, for messages."""

    endpoint: Endpoint
    credentials: Credentials
    source: str
    impersonation: Impersonation | None = None


class PluginSpec(Veiled, frozen=True, kw_only=True):
    """``user.exec`` of a kubeconfig, resolved. ``cluster`` is the cluster part of KUBERNETES_EXEC_INFO, given only
    where ``provideClusterInfo`` asks for it: without it one run serves every cluster."""

    VEILED = frozenset({"env", "cluster"})

    command: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    api_version: str
    install_hint: str = ""
    cluster: JsonObject | None = None


Environment = Mapping[str, str]
