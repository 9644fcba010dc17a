"""Clients for the scripted server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from fleetmgr.adapters.kube.access import Access, Credential, Credentials, Endpoint
from fleetmgr.adapters.kube.calls import ClientOptions
from fleetmgr.adapters.kube.client import KubeClient
from fleetmgr.adapters.kube.credentials import StaticCredentials
from fleetmgr.adapters.kube.transport import Transport
from fleetmgr.model.jsontypes import JsonObject
from tests.adapters.kube.api_server import Script, serving
from tests.fakes.clock import FakeClock

Opener = Callable[..., KubeClient]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[Script]:
    with serving() as script:
        yield script


@pytest.fixture
def connect(server: Script, clock: FakeClock) -> Iterator[Opener]:
    """Opens a client of the scripted server (or of ``endpoint``), without jitter."""
    opened: list[KubeClient] = []

    def opener(
        *,
        options: ClientOptions | None = None,
        credentials: Credentials | None = None,
        endpoint: Endpoint | None = None,
    ) -> KubeClient:
        access = Access(
            endpoint=endpoint or Endpoint(server=server.url),
            credentials=credentials or StaticCredentials(Credential(authorization="Bearer canary-token")),
            source="test",
        )
        transport = Transport(
            "dev-1", access, clock=clock, options=options or ClientOptions(), jitter=lambda: 0.0
        )
        client = KubeClient(transport, clock=clock, page_size=2)
        opened.append(client)
        return client

    yield opener
    for client in opened:
        client.close()


@pytest.fixture
def client(connect: Opener) -> KubeClient:
    return connect()


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    """Writes a kubeconfig with one context, ``dev``."""

    def write(
        *,
        cluster: JsonObject | None = None,
        user: JsonObject | None = None,
        name: str = "config",
        context: str = "dev",
    ) -> Path:
        document: JsonObject = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": {"server": "http://127.0.0.1:1", **(cluster or {})}}],
            "users": [{"name": context, "user": user or {}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        }
        path = tmp_path / name
        path.write_bytes(orjson.dumps(document))
        return path

    return write
