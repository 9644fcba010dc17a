"""The few requests that starting a cluster needs: is it ready, create this, read that."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

TIMEOUT = urllib3.Timeout(connect=2.0, read=5.0)
HEALTH_SECONDS = 3.0
OK, CREATED, CONFLICT = 200, 201, 409


def answers(url: str) -> bool:
    """Whether a health URL says 200.

    Components sign their own certificates and a health answer is no secret, so the
    certificate is not checked here (and urllib3, which warns of that, is not used).
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection: HTTPConnection = HTTPSConnection(host, port, timeout=HEALTH_SECONDS, context=context)
    else:
        connection = HTTPConnection(host, port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


class ClusterApi:
    """One API server, as its administrator, certificate checked."""

    def __init__(self, server: str, *, authority: Path, token: str) -> None:
        """``authority``: the PEM file of the server's chain."""
        self._server = server
        self._pool = urllib3.PoolManager(
            ca_certs=str(authority),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            retries=False,
            timeout=TIMEOUT,
        )

    def get(self, path: str) -> Mapping[str, Any] | None:
        """The object or list at ``path``; None when the server does not (yet) give it."""
        try:
            answer = self._pool.request("GET", self._server + path)
        except HTTPError:
            return None
        return json.loads(answer.data) if answer.status == OK else None

    def create(self, path: str, body: Mapping[str, Any]) -> bool:
        """Create an object; True when it is there afterwards (409: it was there already)."""
        try:
            answer = self._pool.request("POST", self._server + path, body=json.dumps(body))
        except HTTPError:
            return False
        return answer.status in {OK, CREATED, CONFLICT}

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()
