"""The adapter of the Pulumi engine with the real CLI and provider, on a real control plane."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from fleetmgr.adapters.pulumi.cli import find_cli
from fleetmgr.adapters.pulumi.engine import CliEngine
from fleetmgr.adapters.pulumi.plugins import find_plugin
from fleetmgr.adapters.pulumi.settings import EngineSettings, StackSettings, WayIn
from fleetmgr.adapters.pulumi.stack import CliStack
from fleetmgr.errors import ExitCode, FleetError
from fleetmgr.model.resource import Resource
from fleetmgr.ports.pulumi import Step
from fleetmgr.ports.pulumi_errors import PassphraseMissing, StackLocked, exit_code_of
from tests.adapters.pulumi.stubbed import CLUSTER, ops, preview, request, resource, stack_of, up, urn
from tests.e2e.conftest import SandboxClusters

pytestmark = pytest.mark.e2e


class Live:
    """A stack in a backend of the test's own, on the sandbox's first cluster."""

    def __init__(self, folder: Path, clusters: SandboxClusters) -> None:
        self.clusters = clusters
        self.context = clusters.contexts[0]
        self.folder = folder
        self.ns = f"p{uuid.uuid4().hex[:8]}"
        self.environment = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": "open sesame"}  # noqa: TID251 - where the CLI is
        (folder / "state").mkdir()

    def stack(self, *, context: str | None = None, kubeconfig: str | None = None) -> CliStack:
        way = WayIn(kubeconfig=kubeconfig or str(self.clusters.kubeconfig), context=context or self.context)

        def settings_of(cluster: str) -> StackSettings:
            return StackSettings(
                fleet="shop", cluster=cluster, backend=f"file://{self.folder}/state", way=way, seconds=300.0
            )

        settings = EngineSettings(environment=self.environment, folder=self.folder / "work")
        return CliEngine(settings, settings_of, monotonic=time.monotonic).stack(CLUSTER)

    def namespace(self) -> Resource:
        return resource("Namespace", self.ns)

    def maps(self, **values: str) -> list[Resource]:
        return [
            resource("ConfigMap", f"{self.ns}/{name}", data={"x": value}) for name, value in values.items()
        ]

    def live(self) -> dict[str, str]:
        path = "{range .items[*]}{.metadata.name}={.data.x} {end}"
        told = self.clusters.kubectl(self.context, "get", "cm", "-n", self.ns, "-o", f"jsonpath={path}")
        found = dict(pair.split("=", 1) for pair in told.split())
        found.pop("kube-root-ca.crt", None)
        return found


@pytest.fixture
def live(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    try:
        find_cli(os.environ)  # noqa: TID251 - where the CLI is
    except FleetError:
        pytest.skip("SKIPPED: no pulumi CLI")
    if find_plugin(os.environ) is None:  # noqa: TID251 - as above
        pytest.skip("SKIPPED: no Kubernetes provider of Pulumi")
    sandbox_clusters: SandboxClusters = request.getfixturevalue("sandbox_clusters")
    found = Live(tmp_path, sandbox_clusters)
    sandbox_clusters.kubectl(found.context, "create", "namespace", found.ns)
    yield found
    sandbox_clusters.kubectl(found.context, "delete", "namespace", found.ns, "--wait=false")


def test_a_life_of_a_stack(live: Live) -> None:
    stack = live.stack()
    first = request(stack_of(live.namespace(), *live.maps(a="1", b="1")))
    a, b, c, d = (f"{live.ns}/{name}" for name in "abcd")
    created = {live.ns: "create", a: "create", b: "create"}
    assert ops(preview(stack, first)) == created
    assert not stack.state().exists
    assert live.live() == {}
    assert ops(up(stack, first)) == created
    assert live.live() == {"a": "1", "b": "1"}

    live.clusters.kubectl(live.context, "patch", "cm", "a", "-n", live.ns, "-p", '{"data":{"x":"9"}}')
    drifted = preview(live.stack(), first)
    assert ops(drifted) == {live.ns: "same", a: "update", b: "same"}
    assert next(step.fields for step in drifted.steps if step.urn == urn(a)) == ("data.x",)

    later = stack_of(live.namespace(), *live.maps(a="2", c="1", d="1"))
    partial = up(stack, request(later, a, c))
    assert (ops(partial), partial.failure) == ({a: "update", c: "create"}, None)
    assert live.live() == {"a": "2", "b": "1", "c": "1"}, "b waits to be deleted, d to be created"
    stack.forget((urn(b),))
    assert ops(up(stack, request(later))) == {live.ns: "same", a: "same", c: "same", d: "create"}
    assert live.live() == {"a": "2", "b": "1", "c": "1", "d": "1"}
    replaced = up(stack, request(later, d, replacing=(urn(d),)))
    assert ops(replaced) == {d: "replace"}
    assert live.live() == {"a": "2", "b": "1", "c": "1", "d": "1"}

    assert ops(up(stack, request(stack_of(live.namespace()), a, c, d))) == {
        a: "delete",
        c: "delete",
        d: "delete",
    }
    assert live.live() == {"b": "1"}
    stack.forget(tuple(r.urn for r in stack.state().resources))
    stack.remove()
    assert not stack.state().exists


def test_secrets_stay_sealed_and_untold(live: Live) -> None:
    secret = resource("Secret", f"{live.ns}/s", data={"password": "c2VzYW1lLW9wZW4="})
    stack = live.stack()
    outcome = up(stack, request(stack_of(secret)))
    assert outcome.failure is None
    assert not any(text in repr(outcome) for text in ("sesame-open", "c2VzYW1lLW9wZW4="))
    exported = stack.deployment()
    assert b"sesame-open" not in exported
    assert b"c2VzYW1lLW9wZW4=" not in exported
    live.environment["PULUMI_CONFIG_PASSPHRASE"] = "wrong"  # noqa: S105 - it is
    with pytest.raises(PassphraseMissing, match="is wrong"):
        preview(live.stack(), request(stack_of(secret)))


def test_a_stop_lets_what_is_being_written_end(live: Live) -> None:
    maps = live.maps(**{f"m{n}": "1" for n in range(40)})
    stop = threading.Event()
    told: list[Step] = []

    def on_step(step: Step) -> None:
        told.append(step)
        stop.set()

    stack = live.stack()
    stopped = stack.up(request(stack_of(*maps)), stop=stop, on_step=on_step)
    assert stopped.failure is not None
    assert stopped.failure.code == "FLT-9022"
    known = stack.state()
    assert not known.pending
    assert {r.name.rpartition("/")[2] for r in known.resources} <= live.live().keys()
    assert 0 < len(known.resources) < len(maps)
    assert up(stack, request(stack_of(*maps))).failure is None
    assert len(live.live()) == len(maps)


KILLED = """
import os, signal, threading
from pathlib import Path
from tests.adapters.pulumi.stubbed import *
from tests.e2e.test_pulumi_adapter import Live
from tests.e2e.conftest import SandboxClusters
live = Live.__new__(Live)
live.__dict__.update({values})
live.clusters = SandboxClusters(kubeconfig=Path({kubeconfig!r}), contexts=())
def die(step):
    os.kill(int((live.folder / "work/shop/dev-1/running").read_text()), signal.SIGKILL)
    os._exit(9)
live.stack().up(request(stack_of(*live.maps(**{maps}))), stop=threading.Event(), on_step=die)
"""


def test_what_a_killed_run_leaves_is_cleared_by_the_next(live: Live) -> None:
    maps = {f"m{n}": "1" for n in range(40)}
    values = {"folder": live.folder, "ns": live.ns, "context": live.context, "environment": live.environment}
    code = KILLED.format(values=repr(values), kubeconfig=str(live.clusters.kubeconfig), maps=maps)
    code = "from pathlib import PosixPath\n" + code
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 9, run.stderr
    outcome = up(live.stack(), request(stack_of(*live.maps(**maps))))
    assert outcome.failure is None
    assert len(live.live()) == len(maps)
    assert not live.stack().state().pending


def test_a_lock_of_somebody_else_is_left_alone(live: Live) -> None:
    stack = live.stack()
    up(stack, request(stack_of(*live.maps(a="1"))))
    locks = live.folder / "state" / ".pulumi" / "locks" / "organization" / "shop" / CLUSTER
    locks.mkdir(parents=True, exist_ok=True)
    holder = '{"pid": 4711, "username": "eve", "hostname": "ci-7", "timestamp": "2026-11-21T07:00:00Z"}'
    (locks / "8a.json").write_text(holder)
    with pytest.raises(StackLocked, match=r"eve@ci-7 \(pid 4711\)"):
        up(stack, request(stack_of(*live.maps(a="2"))))
    assert live.live() == {"a": "1"}


def test_a_cluster_that_denies_or_does_not_answer(live: Live) -> None:
    denied = up(live.stack(context=f"{live.context}-reader"), request(stack_of(*live.maps(a="1")))).failure
    assert denied is not None
    assert exit_code_of(denied) is ExitCode.AUTH
    text = live.clusters.kubeconfig.read_text()
    nowhere = live.folder / "nowhere.yaml"
    port = next(line.rpartition(":")[2] for line in text.splitlines() if "server: https" in line)
    nowhere.write_text(text.replace(f":{port}", ":1"))
    unreached = up(live.stack(kubeconfig=str(nowhere)), request(stack_of(*live.maps(a="1")))).failure
    assert unreached is not None
    assert exit_code_of(unreached) is ExitCode.PARTIAL
    assert up(live.stack(), request(stack_of(*live.maps(a="1")))).failure is None
    assert live.live() == {"a": "1"}
