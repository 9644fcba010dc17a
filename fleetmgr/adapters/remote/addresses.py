"""May this address be asked? The host must be allowed by name, and what its name resolves to must not lie inside
the network, unless that is allowed too. The caller connects to exactly the address that was checked: a name that
resolves differently a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from fleetmgr.model.target import RemoteHost
from fleetmgr.ports.remotes import RemoteFailed, RemoteRefused

_PORTS = {"https": 443, "http": 80}
Lookup = Callable[[str, int], Sequence[str]]


class Address(Struct, frozen=True, kw_only=True):
    """Where to connect to for a URL: ``ip`` is what ``host`` resolved to."""

    scheme: str
    host: str
    port: int
    ip: str


def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of a host, as the system resolves it."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def check(url: str, hosts: Sequence[RemoteHost], lookup: Lookup = look_up) -> Address:
    """Where to connect to for ``url``. Raises RemoteRefused and RemoteFailed (the name does not resolve)."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), _port(parts)
    named = f"{host}:{port}" if port != _PORTS.get(parts.scheme) else host
    allowed = next((h for h in hosts if h.host.lower() in (named, f"{host}:{port}")), None)
    if allowed is None:
        raise RemoteRefused(
            f"`{named}` is not an allowed host",
            hint="name it in `source.allowRemote`, or copy what is needed",
        )
    if parts.username is not None or parts.password is not None:
        raise RemoteRefused(
            f"the address at `{named}` holds credentials", hint="leave them to Git's credential helper"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and allowed.insecure):
        raise RemoteRefused(
            f"`{parts.scheme}` is not asked at `{named}`",
            hint="use https, or say `insecure: true` of the host",
        )
    try:
        found = list(lookup(host, port))
    except OSError as error:
        raise RemoteFailed(f"`{host}` cannot be resolved: {error.strerror or error}") from None
    for ip in found:
        _check_ip(ip, named, allowed)
    if not found:
        raise RemoteFailed(f"`{host}` has no address")
    return Address(scheme=parts.scheme, host=host, port=port, ip=found[0])


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return 0


def _check_ip(text: str, named: str, allowed: RemoteHost) -> None:
    ip: Any = ipaddress.ip_address(text.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    # Metadata services of clouds answer on link-local addresses: never meant.
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        raise RemoteRefused(f"`{named}` resolves to {ip}, which is never asked")
    if not ip.is_global and not allowed.private:
        raise RemoteRefused(
            f"`{named}` resolves to {ip}, which lies inside the network",
            hint="if it is meant, write {host: ..., private: true} in `source.allowRemote`",
        )
