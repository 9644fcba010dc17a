"""An engine on the stand-in for `pulumi`, and Stacks for it."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from fleetmgr.adapters.pulumi.engine import CliEngine
from fleetmgr.adapters.pulumi.settings import EngineSettings, StackSettings, WayIn
from fleetmgr.adapters.pulumi.stack import CliStack
from fleetmgr.model.objects import ObjectRef, Origin
from fleetmgr.model.policy import Policy
from fleetmgr.model.resource import Resource, ResourceOptions, Stack, StackApp
from fleetmgr.ports.pulumi import Outcome, Request, Step
from fleetmgr.ports.stop import Stop

STUB = Path(__file__).parent / "stub_pulumi.py"
FLEET, CLUSTER = "shop", "dev-1"


class Hanging:
    """A Stop that is set once the stand-in is in the step in which it was told to hang."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "hanging"

    def is_set(self) -> bool:
        return self._file.exists()


class World:
    """A machine with the stand-in on PATH and an empty `file://` backend."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin, self.state, self.home = folder / "bin", folder / "state", folder / "home"
        for made in (self.bin, self.state, self.home):
            made.mkdir(exist_ok=True)
        program = self.bin / "pulumi"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {STUB} {self.bin} "$@"\n')
        program.chmod(0o755)
        self.backend = f"file://{self.state}"
        self.environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(self.home),
            "PULUMI_CONFIG_PASSPHRASE": "open sesame",
            "PULUMI_PARALLEL": "1",
            "MY_OWN": "x",
            "AWS_REGION": "eu-west-1",
        }
        self.way = WayIn(context="sandbox-1")
        self.seconds = 60.0
        self.hanging = Hanging(self.bin)

    def behave(self, **behaviour: Any) -> None:
        (self.bin / "behaviour.json").write_text(json.dumps(behaviour))

    def calls(self, *start: str) -> list[dict[str, Any]]:
        """What the CLI was asked, of what begins so."""
        file = self.bin / "calls.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [call for line in lines if (call := json.loads(line))["args"][: len(start)] == list(start)]

    def engine(self) -> CliEngine:
        def settings_of(cluster: str) -> StackSettings:
            return StackSettings(
                fleet=FLEET, cluster=cluster, backend=self.backend, way=self.way, seconds=self.seconds
            )

        settings = EngineSettings(environment=self.environment, folder=self.folder / "work")
        return CliEngine(settings, settings_of, monotonic=time.monotonic)

    def stack(self) -> CliStack:
        return self.engine().stack(CLUSTER)

    def document(self) -> dict[str, Any]:
        return json.loads(next(self.state.glob("*.json")).read_text())

    def write(self, document: dict[str, Any]) -> None:
        next(self.state.glob("*.json")).write_text(json.dumps(document))


def resource(kind: str, name: str, **more: Any) -> Resource:
    """``ConfigMap web/a`` of the app web, with ``more`` as inputs."""
    namespace, _, plain = name.rpartition("/")
    metadata = {"name": plain} | ({"namespace": namespace} if namespace else {})
    return Resource(
        type=f"kubernetes:core/v1:{kind}",
        name=name,
        inputs={"apiVersion": "v1", "kind": kind, "metadata": metadata, **more},
        options=ResourceOptions(),
        ref=ObjectRef("", "v1", kind, namespace, plain),
        app="web",
        origin=Origin(file="apps/web/a.yaml", line=1),
    )


def stack_of(*resources: Resource) -> Stack:
    app = StackApp(
        name="web",
        namespace="web",
        create_namespace=True,
        depends_on=(),
        policy=Policy(),
        timeout=60.0,
        revision=None,
        artifact_digest="",
        render_digest="",
    )
    return Stack(fleet=FLEET, cluster=CLUSTER, environment="dev", apps=(app,), resources=resources)


def config_maps(**values: str) -> Stack:
    return stack_of(*(resource("ConfigMap", f"web/{name}", data={"x": v}) for name, v in values.items()))


def urn(name: str, kind: str = "ConfigMap") -> str:
    return f"urn:pulumi:{CLUSTER}::{FLEET}::fleetmgr:index:App$kubernetes:core/v1:{kind}::{name}"


def request(stack: Stack, *targets: str, **more: Any) -> Request:
    asked = Request(stack=stack, targets=tuple(urn(name) for name in targets) or None)
    return msgspec.structs.replace(asked, **more)


def up(stack: CliStack, asked: Request, stop: Stop | None = None) -> Outcome:
    told: list[Step] = []
    outcome = stack.up(asked, stop=stop or threading.Event(), on_step=told.append)
    assert {step.urn for step in told} <= {step.urn for step in outcome.steps}
    return outcome


def killed(folder: str, **values: str) -> None:
    """An update in this process, which ends as soon as the CLI has been killed, as when both of them are."""
    outcome = up(World(Path(folder)).stack(), request(config_maps(**values)))
    os._exit(9 if outcome.failure is not None else 0)


def preview(stack: CliStack, asked: Request) -> Outcome:
    return stack.preview(asked, stop=threading.Event())


def ops(outcome: Outcome) -> dict[str, str]:
    """op by name."""
    return {step.urn.rpartition("::")[2]: step.op.value for step in outcome.steps}
