"""A resource monitor that records registrations and names them as the real engine does.

``MockMonitor`` computes other URNs (it adds the root stack's type and keeps the last parent type only); the
rule here is the engine's ``generateURN`` (pkg/resource/deploy/deployment.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2

_ROOT = "pulumi:pulumi:Stack"


class NoMocks(mocks.Mocks):
    """Nothing is answered by mocks: the monitor echoes what it is asked to register."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(args.token)


class RecordingMonitor(mocks.MockMonitor):
    """``requests`` by URN, in order of registration."""

    def __init__(self) -> None:
        super().__init__(NoMocks())
        self.requests: dict[str, dict[str, Any]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        urn = self._urn(request.parent, request.type, request.name)
        if request.type != _ROOT:
            assert urn not in self.requests, "a duplicate URN is fatal in the engine"
            self.requests[urn] = MessageToDict(request)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def _urn(self, parent: str, token: str, name: str) -> str:
        above = parent.split("::")[2] if parent else ""
        qualified = f"{above}${token}" if above and above != _ROOT else token
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{qualified}::{name}"


def registered(program: Callable[[], None], *, project: str, stack: str) -> dict[str, dict[str, Any]]:
    """What ``program`` registers, by URN. Uses and closes an event loop of its own."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        monitor = RecordingMonitor()
        mocks.set_mocks(NoMocks(), project=project, stack=stack, monitor=monitor)
        pulumi.runtime.test(program)()  # pyright: ignore[reportUnknownMemberType] - untyped in the SDK
        return monitor.requests
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)
