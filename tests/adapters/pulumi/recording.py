"""Resource monitors that record registrations and name them as the real engine does: an object, and a gRPC server.

``MockMonitor`` computes other URNs (it adds the root stack's type and keeps the last parent type only); the
rule here is the engine's ``generateURN`` (pkg/resource/deploy/deployment.go).
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pulumi
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import Settings, configure, mocks
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import resource_pb2, resource_pb2_grpc
from pulumi.runtime.stack import run_in_stack

_ROOT = "pulumi:pulumi:Stack"


class NoMocks(mocks.Mocks):
    """Nothing is answered by mocks: the monitor echoes what it is asked to register."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(args.token)


class RecordingMonitor(mocks.MockMonitor):
    """``requests`` by URN, in order of registration; ``outputs`` is what an earlier run left in the state."""

    def __init__(self, outputs: dict[str, Any] | None = None) -> None:
        super().__init__(NoMocks())
        self.requests: dict[str, dict[str, Any]] = {}
        self.exported: dict[str, Any] = {}
        self._outputs = outputs or {}

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        assert request.tok == "pulumi:pulumi:readStackOutputs", request.tok
        values = struct_pb2.Struct()
        values.update({"name": request.args["name"], "outputs": self._outputs})
        answer: dict[str, Any] = {"return": values}
        return resource_pb2.ResourceInvokeResponse(**answer)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self.exported = MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        urn = self._urn(request.parent, request.type, request.name)
        if request.type != _ROOT:
            assert urn not in self.requests, "a duplicate URN is fatal in the engine"
            self.requests[urn] = MessageToDict(request)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def _urn(self, parent: str, token: str, name: str) -> str:
        return urn_of(parent, token, name, project=pulumi.get_project(), stack=pulumi.get_stack())


class AnsweringMonitor:
    """Only answers and counts: what a program costs by itself."""

    def __init__(self, *, project: str, stack: str) -> None:
        self.registered = 0
        self._names = {"project": project, "stack": stack}
        self._features: Any = mocks.MockMonitor(NoMocks())

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        return self._features.GetDeploymentInfo(request)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self.registered += 1
        urn = urn_of(request.parent, request.type, request.name, **self._names)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def RegisterResourceOutputs(self, _request: Any) -> Any:  # noqa: N802 - the protocol's name
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:  # noqa: N802 - the protocol's name
        return empty_pb2.Empty()


def urn_of(parent: str, token: str, name: str, *, project: str, stack: str) -> str:
    above = parent.split("::")[2] if parent else ""
    qualified = f"{above}${token}" if above and above != _ROOT else token
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def registered(program: Callable[[], None], *, project: str, stack: str) -> dict[str, dict[str, Any]]:
    """What ``program`` registers, by URN. Uses and closes an event loop of its own."""
    return recorded(program, project=project, stack=stack).requests


def recorded(
    program: Callable[[], None],
    *,
    project: str,
    stack: str,
    outputs: dict[str, Any] | None = None,
    preview: bool = True,
) -> RecordingMonitor:
    """The monitor after a run of ``program``; ``outputs`` are those of the state before."""
    monitor = RecordingMonitor(outputs)
    _run(program, monitor, project=project, stack=stack, preview=preview)
    return monitor


def _run(program: Callable[[], None], monitor: Any, *, project: str, stack: str, preview: bool) -> None:
    """In a context and an event loop of its own: settings live in the context."""

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            configure(
                Settings(project=project, stack=stack, monitor=monitor, engine=Silent(), dry_run=preview)
            )
            set_all_config({})
            loop.run_until_complete(run_in_stack(program))
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            asyncio.set_event_loop(None)

    contextvars.copy_context().run(run)


class Silent:
    """The engine's log."""

    def Log(self, _request: Any) -> Any:  # noqa: N802 - the protocol's name
        return empty_pb2.Empty()


_Servicer: Any = resource_pb2_grpc.ResourceMonitorServicer


class _Served(_Servicer):
    """A recording monitor at the other end of a connection."""

    def __init__(self, *, project: str, stack: str) -> None:
        self.requests: dict[str, dict[str, Any]] = {}
        self._names = {"project": project, "stack": stack}
        self._features: Any = mocks.MockMonitor(NoMocks())

    def GetDeploymentInfo(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        return self._features.GetDeploymentInfo(request)

    def RegisterResource(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        urn = urn_of(request.parent, request.type, request.name, **self._names)
        if request.type != _ROOT:
            assert urn not in self.requests, "a duplicate URN is fatal in the engine"
            self.requests[urn] = MessageToDict(request)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def RegisterResourceOutputs(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        return empty_pb2.Empty()


def served(program: Callable[[], None], *, project: str, stack: str) -> dict[str, dict[str, Any]]:
    """As ``registered``, but over gRPC on loopback."""
    monitor = _Served(project=project, stack=stack)
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        _run(program, f"127.0.0.1:{port}", project=project, stack=stack, preview=True)
    finally:
        server.stop(0).wait()
    return monitor.requests
