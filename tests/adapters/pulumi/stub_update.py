"""The part of the stand-in for `pulumi` that runs programs: a resource monitor, and the events of an update."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

ROOT = "pulumi:pulumi:Stack"


def _all(args: list[str], name: str) -> list[str]:
    return [args[index + 1] for index, arg in enumerate(args) if arg == name]


def _matches(urn: str, patterns: list[str]) -> bool:
    return any(re.fullmatch(re.escape(p).replace(r"\*", "[^:]*"), urn) for p in patterns)


class Update:
    """Registrations against the state; the events that tell of it."""

    def __init__(
        self, args: list[str], name: str, document: Any, behaviour: dict[str, Any], *, preview: bool
    ) -> None:
        self.args = args
        self.behaviour = behaviour
        self.error = ""
        self.dying: Callable[[], None] = lambda: None
        self.preview = preview
        self.stack = name.rpartition("/")[2]
        self.project = name.split("/")[1] if name.count("/") == 2 else ""
        deployment: dict[str, Any] = document["deployment"] or {}
        self.old: dict[str, dict[str, Any]] = {r["urn"]: r for r in deployment.get("resources", [])}
        self.new: dict[str, dict[str, Any]] = {}
        self.targets = _all(args, "--target")
        self.excludes = _all(args, "--exclude")
        self.replaces = _all(args, "--replace")
        self.pending: list[dict[str, Any]] = deployment.get("pending_operations", [])
        self.failed = threading.Event()
        self.interrupted = threading.Event()
        self.counts: dict[str, int] = {}
        self.lock = threading.Lock()
        self.events: list[str] = []

    def run(self, *, dying: Callable[[], None]) -> int:
        """The exit code; why it is not 0 is in ``error``. ``dying`` writes the state of a run that is being killed."""
        self.dying = dying
        signal.signal(signal.SIGINT, self._interrupt)
        for target in (*self.targets, *self.excludes):
            if self.old and "*" not in target and target not in self.old:
                self.error = "one or more targets could not be found in the stack"
                return 255
        server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
        port = serve(self, server)
        channel = grpc.insecure_channel(self.option("--client") or "")
        for message in self.behaviour["warnings"]:
            self.event("diagnosticEvent", {"message": message, "color": "raw", "severity": "warning"})
        address = f"127.0.0.1:{port}"
        runtime: Any = language_pb2_grpc.LanguageRuntimeStub(channel)
        answer = runtime.Run(
            language_pb2.RunRequest(
                project=self.project,
                stack=self.stack,
                dryRun=self.preview,
                parallel=int(self.option("--parallel") or 4),
                monitor_address=address,
                args=[address],
                organization="organization",
            )
        )
        if not answer.error and not self.failed.is_set() and not self.interrupted.is_set():
            self.delete()
        server.stop(0)
        self.event(
            "summaryEvent",
            {"maybeCorrupt": False, "durationSeconds": 1, "resourceChanges": self.counts, "PolicyPacks": {}},
        )
        self.event("cancelEvent", {})
        log = (self.option("--event-log") or "").removeprefix("tcp://")
        with grpc.insecure_channel(log) as told:
            events: Any = events_pb2_grpc.EventsStub(told)
            events.StreamEvents(events_pb2.EventRequest(event=e) for e in self.events)
        if self.interrupted.is_set():
            self.error = "update canceled"
        elif self.failed.is_set():
            self.error = "update failed"
        else:
            self.error = answer.error
        return 255 if self.error else 0

    def _interrupt(self, number: int, frame: object) -> None:
        del number, frame
        self.interrupted.set()

    def option(self, name: str) -> str | None:
        for index, arg in enumerate(self.args):
            if arg == name:
                return self.args[index + 1]
            if arg.startswith(f"{name}="):
                return arg.partition("=")[2]
        return None

    def event(self, kind: str, body: dict[str, Any]) -> None:
        garbage = self.behaviour["garbage"]
        if garbage and body.get("metadata", {}).get("urn", "").endswith(f"::{garbage}"):
            body["metadata"]["op"] = "nothing that anybody knows"
        self.events.append(json.dumps({"sequence": len(self.events), "timestamp": 0, kind: body}))

    def urn(self, parent: str, token: str, name: str) -> str:
        above = parent.split("::")[2] if parent else ""
        qualified = f"{above}${token}" if above and above != ROOT else token
        return f"urn:pulumi:{self.stack}::{self.project}::{qualified}::{name}"

    def targeted(self, urn: str, token: str) -> bool:
        if token == ROOT or token.startswith("pulumi:providers:"):
            return True
        return (not self.targets or _matches(urn, self.targets)) and not _matches(urn, self.excludes)

    def register(self, request: dict[str, Any]) -> str:
        urn = self.urn(request.get("parent", ""), request["type"], request["name"])
        old = self.old.get(urn)
        inputs = request.get("object", {})
        entry = {
            "urn": urn,
            "type": request["type"],
            "custom": request.get("custom", False),
            "id": request["name"] if request.get("custom") else "",
            "inputs": inputs,
            "parent": request.get("parent", ""),
            "protect": request.get("protect", False),
            "deletedWith": request.get("deletedWith", ""),
            "retainOnDelete": request.get("retainOnDelete", False),
        }
        if not self.targeted(urn, request["type"]):
            if old is not None:
                self.new[urn] = old
                self.step("same", urn, request["type"])
            return urn
        before: dict[str, Any] = old["inputs"] if old else {}
        diff = sorted(k for k in inputs.keys() | before.keys() if inputs.get(k) != before.get(k))
        if old is None:
            op = "create"
        elif urn in self.replaces:
            op = "replace"
        else:
            op = "update" if diff else "same"
        if self.perform(op, urn, request, diff if old else []):
            self.new[urn] = entry
        elif old is not None:
            self.new[urn] = old
        return urn

    def perform(self, op: str, urn: str, request: dict[str, Any], diff: list[str]) -> bool:
        """Whether it went well."""
        name, token = request["name"], request["type"]
        if not self.preview and name == self.behaviour["die"]:
            self.die(op, urn, token)
        if name == self.behaviour["hang"]:
            (Path(self.behaviour["here"]) / "hanging").touch()
            self.interrupted.wait(60)
        message = self.behaviour["fail"].get(name)
        if message is not None:
            self.begin(op, urn, token, diff)
            text = f"Preview failed: {message}" if self.preview else message
            self.event("diagnosticEvent", {"message": text, "color": "raw", "severity": "error", "urn": urn})
            if not self.preview:
                metadata = self.metadata(op, urn, token, diff)
                self.event("resOpFailedEvent", {"metadata": metadata, "status": 1, "steps": 1})
                self.failed.set()
            self.failed.set()
            return False
        pieces = ["delete-replaced", "replace", "create-replacement"] if op == "replace" else [op]
        for piece in pieces:
            self.step(piece, urn, token, diff)
        return True

    def die(self, op: str, urn: str, token: str) -> None:
        kind = {"create": "creating", "update": "updating", "same": "updating"}[op]
        self.pending.append({"type": kind, "resource": {"urn": urn, "type": token, "custom": True}})
        self.dying()
        os.kill(os.getpid(), signal.SIGKILL)

    def delete(self) -> None:
        for urn, entry in reversed(self.old.items()):
            if urn in self.new:
                continue
            kept = urn.endswith(f"::{self.behaviour['keep']}")
            if kept or not self.targeted(urn, entry["type"]):
                self.new[urn] = entry
            else:
                self.step("delete", urn, entry["type"])

    def metadata(self, op: str, urn: str, token: str, diff: list[str]) -> dict[str, Any]:
        detailed = {key: {"diffKind": "update", "inputDiff": True} for key in diff} or None
        logical = op not in {"delete-replaced", "create-replacement"}
        return {"op": op, "urn": urn, "type": token, "old": None, "new": None, "keys": None, "diffs": diff,
                "detailedDiff": detailed, "logical": logical, "provider": ""}  # fmt: skip

    def begin(self, op: str, urn: str, token: str, diff: list[str]) -> None:
        metadata = self.metadata(op, urn, token, diff)
        self.event("resourcePreEvent", {"metadata": metadata, "planning": self.preview})

    def step(self, op: str, urn: str, token: str, diff: list[str] | None = None) -> None:
        self.begin(op, urn, token, diff or [])
        if op not in {"delete-replaced", "create-replacement"}:
            self.counts[op] = self.counts.get(op, 0) + 1
        metadata = self.metadata(op, urn, token, diff or [])
        self.event("resOutputsEvent", {"metadata": metadata, "planning": self.preview})

    def written(self, *, dying: bool = False) -> dict[str, Any]:
        kept = (
            {**self.old, **self.new}
            if dying or self.failed.is_set() or self.interrupted.is_set()
            else self.new
        )
        deployment: dict[str, Any] = {
            "manifest": {"version": "v3.260.0"},
            "secrets_providers": {"type": "passphrase", "state": {"salt": "v1:x"}},
            "resources": list(kept.values()),
        }
        if self.pending:
            deployment["pending_operations"] = self.pending
        return {"version": 3, "deployment": deployment}


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, update: Update) -> None:
        self.update = update

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        del request, context
        features = ["SECRETS", "RESOURCE_REFERENCES", "ALIAS_SPECS", "DELETED_WITH"]
        numbers = [getattr(resource_pb2, f"RESOURCE_MONITOR_FEATURE_{f}") for f in features]
        return resource_pb2.DeploymentInfo(supportedFeatures=numbers)

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        del context
        known = {"secrets", "resourceReferences", "aliasSpecs", "deletedWith"}
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in known)

    def RegisterResource(self, request: Any, context: Any) -> Any:
        with self.update.lock:
            if self.update.failed.is_set() or self.update.interrupted.is_set():
                context.abort(grpc.StatusCode.UNAVAILABLE, "resource monitor shut down")
            urn = self.update.register(MessageToDict(request))
        identity = request.name if request.custom else ""
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=request.object)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        del request, context
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        del request, context
        return empty_pb2.Empty()


class Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self, update: Update) -> None:
        self.update = update

    def Log(self, request: Any, context: Any) -> Any:
        del context
        if request.severity == 3:
            self.update.event(
                "diagnosticEvent", {"message": request.message, "color": "raw", "severity": "error"}
            )
        return empty_pb2.Empty()


def serve(update: Update, server: Any) -> int:
    """The monitor and the engine of one run; the port."""
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(update), server)
    engine_pb2_grpc.add_EngineServicer_to_server(Engine(update), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return port
