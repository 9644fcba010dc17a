"""Single files by https: small, at once, and from nowhere else than asked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from urllib.parse import urljoin, urlsplit

import urllib3

from fleetmgr.adapters.remote.addresses import Address, check
from fleetmgr.model.target import RemoteHost
from fleetmgr.ports.remotes import RemoteFailed

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT = urllib3.Timeout(connect=10.0, read=30.0)

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200

Check = Callable[[str, Sequence[RemoteHost]], Address]


class HttpFiles:
    """Implements ports.remotes.RemoteFiles; proxies of the environment are not used."""

    def __init__(self, check: Check = check) -> None:
        """``check`` says where a URL may be asked."""
        self._check = check
        self._read: dict[tuple[str, tuple[RemoteHost, ...]], bytes] = {}

    def read(self, url: str, hosts: Sequence[RemoteHost]) -> bytes:
        """As the port says; each redirect is checked as the first address was."""
        key = (url, tuple(hosts))
        if key not in self._read:
            self._read[key] = self._followed(url, hosts)
        return self._read[key]

    def _followed(self, url: str, hosts: Sequence[RemoteHost]) -> bytes:
        shown = urlsplit(url)._replace(query="").geturl()
        for _ in range(_MOST_REDIRECTS):
            address = self._check(url, hosts)
            try:
                content, location = _asked(url, address, shown)
            except urllib3.exceptions.HTTPError as error:
                raise RemoteFailed(f"{shown} cannot be read: {type(error).__name__}") from None
            if location is None:
                return content
            url = urljoin(url, location)
        raise RemoteFailed(f"{shown} leads from one address to another without end")


def _asked(url: str, address: Address, shown: str) -> tuple[bytes, str | None]:
    """The content, or where it is said to be."""
    with _pool(address) as pool:
        answer = pool.request(
            "GET", _target(url), headers={"Host": _host(address)}, preload_content=False, redirect=False
        )
        with contextlib.closing(answer):
            if answer.status in _REDIRECTS:
                return b"", answer.headers.get("Location", "")
            if answer.status != _OK:
                raise RemoteFailed(f"{shown}: the host answered {answer.status}")
            content = answer.read(MAX_BYTES + 1, decode_content=True)
    if len(content) > MAX_BYTES:
        raise RemoteFailed(f"{shown} has more than {MAX_BYTES} bytes")
    return content, None


def _pool(address: Address) -> urllib3.HTTPConnectionPool:
    """A connection to the very address that was checked, with the name for TLS."""
    if address.scheme == "http":
        return urllib3.HTTPConnectionPool(address.ip, address.port, timeout=TIMEOUT, retries=False)
    return urllib3.HTTPSConnectionPool(
        address.ip,
        address.port,
        timeout=TIMEOUT,
        retries=False,
        assert_hostname=address.host,
        server_hostname=address.host,
    )


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _host(address: Address) -> str:
    usual = {"https": 443, "http": 80}[address.scheme]
    return address.host if address.port == usual else f"{address.host}:{address.port}"
