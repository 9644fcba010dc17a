"""HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go reads them (golang.org/x/net/http/httpproxy), as kubectl does."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from fleetmgr.adapters.kube.access import Environment


def environment_proxy(server: str, environment: Environment) -> str | None:
    """The proxy for ``server``, or None. Loopback is never proxied."""
    parts = urlsplit(server)
    host = (parts.hostname or "").lower()
    name = f"{parts.scheme}_proxy"
    proxy = environment.get(name.upper()) or environment.get(name)
    if not proxy or _is_loopback(host):
        return None
    listed = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    if any(_excludes(item.strip().lower(), host, parts.port) for item in listed.split(",") if item.strip()):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _excludes(item: str, host: str, port: int | None) -> bool:
    """Whether one item of NO_PROXY (``*``, CIDR, IP, domain, ``.domain``, each with ``:port``) means ``host``."""
    if item == "*":
        return True
    address = _address(host)
    if "/" in item:
        try:
            return address is not None and address in ipaddress.ip_network(item, strict=False)
        except ValueError:
            return False
    name, _, wanted = item.rpartition(":") if item.count(":") == 1 else (item, "", "")
    if wanted and wanted != str(port or ""):
        return False
    if address is not None:
        return _address(name.strip("[]")) == address
    domain = name.removeprefix("*").removeprefix(".")
    return host.endswith(f".{domain}") or (host == domain and not name.startswith((".", "*")))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
