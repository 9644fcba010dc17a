"""Connection pools of one API server: one for requests, one for streams, renewed with the client certificate."""

from __future__ import annotations

import threading
from typing import Any, TypeAlias
from urllib.parse import unquote

import urllib3
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util import Url, parse_url

from fleetmgr.adapters.kube.access import ClientCertificate, Endpoint
from fleetmgr.adapters.kube.calls import ClientOptions
from fleetmgr.adapters.kube.tls import tls_context

Pool: TypeAlias = urllib3.PoolManager


class Pools:
    """Thread-safe. A changed client certificate gets new connections: a session shows one for its whole life."""

    def __init__(self, endpoint: Endpoint, options: ClientOptions) -> None:
        """Connects nothing."""
        self._endpoint = endpoint
        self._options = options
        self._lock = threading.Lock()
        self._certificate: ClientCertificate | None = None
        self._open: dict[bool, Pool] = {}

    def pool(self, certificate: ClientCertificate | None, *, streaming: bool) -> Pool:
        """The pool that shows ``certificate``. Raises AccessFault when it cannot be used."""
        with self._lock:
            if certificate != self._certificate:
                self._drop()
                self._certificate = certificate
            if streaming not in self._open:
                self._open[streaming] = self._new(streaming=streaming)
            return self._open[streaming]

    def close(self) -> None:
        """Drop idle connections; those in use end with their request."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        for pool in self._open.values():
            pool.clear()
        self._open.clear()

    def _new(self, *, streaming: bool) -> Pool:
        verify = self._endpoint.verify
        if not verify:
            # The kubeconfig asked for it; a warning at every request would say it a thousand times.
            urllib3.disable_warnings(InsecureRequestWarning)
        name = self._endpoint.tls_server_name
        proxy = parse_url(self._endpoint.proxy) if self._endpoint.proxy else None
        settings: dict[str, Any] = {
            "maxsize": 1 if streaming else self._options.pool_size,
            "block": not streaming,
        }
        if self._endpoint.server.startswith("https:"):
            settings["ssl_context"] = tls_context(self._endpoint, self._certificate)
        if name is not None:
            settings["server_hostname"] = (
                name  # what is sent and what is checked; the address stays the server's
            )
        if not verify:
            settings["assert_hostname"] = False
        if proxy is None:
            return urllib3.PoolManager(**settings)
        address = Url(scheme=proxy.scheme, host=proxy.host, port=proxy.port).url
        headers = urllib3.make_headers(proxy_basic_auth=unquote(proxy.auth)) if proxy.auth else None
        return urllib3.ProxyManager(address, proxy_headers=headers, **settings)
