"""The sandbox on real control planes: what its issue promises, one test a promise."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fleetmgr.adapters.sandbox import processes
from fleetmgr.adapters.sandbox.errors import SandboxStartFailed
from fleetmgr.adapters.toolchain.errors import ToolUnavailable
from fleetmgr.ports.sandbox import SandboxStatus, UpRequest
from fleetmgr.wiring import sandbox as wiring
from tests.e2e.conftest import SandboxClusters

pytestmark = pytest.mark.e2e

NAME = "probe"
START_SECONDS = 240.0
WORKLOADS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stuck}
spec:
  selector: {matchLabels: {app: stuck}}
  template:
    metadata: {labels: {app: stuck}, annotations: {sandbox.fleetmgr.dev/ready: "false"}}
    spec: {containers: [{name: main, image: nginx}]}
"""


class Probe:
    """One sandbox in a home of its own, driven through the same ports as the CLI."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = home / "state" / "fleetmgr" / "sandbox" / NAME
        self.ports = wiring.sandbox(NAME)

    def up(self, clusters: int | None = None) -> SandboxStatus:
        request = UpRequest(clusters=clusters, only=(), timeout=START_SECONDS)
        tools = self.ports.toolchain.provide(_ignore)
        return self.ports.sandbox.up(tools, request, _ignore)

    def pids(self) -> dict[str, int | None]:
        found = self.ports.sandbox.status()
        pids = {process.name: process.pid for process in found.shared}
        for cluster in found.clusters:
            pids |= {f"{cluster.name}/{p.name}": p.pid for p in cluster.processes}
        return pids

    def clusters(self) -> SandboxClusters:
        contexts = tuple(cluster.name for cluster in self.ports.sandbox.status().clusters)
        return SandboxClusters(kubeconfig=self.ports.sandbox.kubeconfig(), contexts=contexts)

    def uid(self, context: str) -> str:
        return self.clusters().kubectl(context, "get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}")


def _ignore(line: str) -> None:
    del line


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Probe]:
    """No sandbox yet; whatever the test starts is stopped."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")  # noqa: TID251 - the built programs are shared
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    probe = Probe(tmp_path)
    try:
        probe.ports.toolchain.provide(_ignore)
    except ToolUnavailable as error:
        pytest.skip(f"no control planes here: {error}")
    try:
        yield probe
    finally:
        probe.ports.sandbox.down((), _ignore, keep_data=False)


def test_workloads_become_ready_volumes_bind_and_a_reader_may_only_read(probe: Probe) -> None:
    probe.up(1)
    clusters = probe.clusters()
    assert clusters.contexts == ("probe-1",)
    clusters.kubectl("probe-1", "apply", "-f", "-", stdin=WORKLOADS)
    wait = ("wait", "--timeout=60s")
    clusters.kubectl("probe-1", *wait, "--for=condition=Available", "deployment/web")
    clusters.kubectl("probe-1", *wait, "--for=jsonpath={.status.phase}=Bound", "pvc/data")
    clusters.kubectl("probe-1", *wait, "--for=condition=Complete", "job/migrate")
    stuck = clusters.kubectl(
        "probe-1", "get", "deployment", "stuck", "-o", "jsonpath={.status.readyReplicas}"
    )
    assert stuck in {"", "0"}
    assert "web" in clusters.kubectl("probe-1-reader", "get", "deployments")
    refused = clusters.try_kubectl("probe-1-reader", "scale", "deployment/web", "--replicas=1")
    assert "forbidden" in refused.stderr.lower()
    volume = clusters.kubectl("probe-1", "get", "pv", "-o", "jsonpath={.items[0].spec.hostPath.path}")
    assert Path(volume).is_dir()
    clusters.kubectl("probe-1", "delete", "deployment", "web", "--cascade=foreground")
    probe.ports.sandbox.down((), _ignore, keep_data=False)
    assert not Path(volume).exists()


def test_a_second_up_changes_nothing_and_a_killed_process_comes_back(probe: Probe) -> None:
    probe.up(1)
    before = probe.pids()
    uid = probe.uid("probe-1")
    probe.up()
    assert probe.pids() == before
    pid = before["probe-1/kube-apiserver"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _until_dead(pid)
    status = probe.ports.sandbox.status()
    assert (status.state, status.clusters[0].state) == ("degraded", "degraded")
    with _listener(status.clusters[0].processes[0].port):  # the remembered port is taken
        probe.up()
    after = probe.pids()
    assert after["etcd"] == before["etcd"]
    assert after["probe-1/kube-apiserver"] not in {None, pid}
    assert probe.ports.sandbox.status().clusters[0].server != status.clusters[0].server
    assert probe.uid("probe-1") == uid  # through the rewritten kubeconfig


def test_etcd_killed_with_its_port_taken_brings_every_cluster_back(probe: Probe) -> None:
    probe.up(1)
    uid = probe.uid("probe-1")
    pid, port = probe.pids()["etcd"], probe.ports.sandbox.status().shared[0].port
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _until_dead(pid)
    with _listener(port):
        assert probe.up().state == "ready"
    assert probe.uid("probe-1") == uid


def test_one_cluster_stops_and_returns_beside_the_others(probe: Probe) -> None:
    probe.up(1)
    first = probe.pids()
    probe.up(2)
    both = probe.pids()
    assert {key: both[key] for key in first} == first
    uid = probe.uid("probe-2")
    assert probe.ports.sandbox.down(("probe-2",), _ignore, keep_data=False) == ("probe-2",)
    status = probe.ports.sandbox.status()
    assert [cluster.state for cluster in status.clusters] == ["ready", "stopped"]
    assert probe.clusters().try_kubectl("probe-2", "get", "ns").returncode != 0
    probe.up()
    assert probe.uid("probe-2") == uid
    assert {key: probe.pids()[key] for key in first} == first


def test_a_cluster_that_cannot_start_stops_again_and_touches_no_other(probe: Probe, tmp_path: Path) -> None:
    probe.up(1)
    before = probe.pids()
    broken = tmp_path / "kube-scheduler"
    broken.write_text("#!/bin/sh\necho E0101 cannot schedule anything\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    tools = {**probe.ports.toolchain.provide(_ignore), "kube-scheduler": broken}
    request = UpRequest(clusters=2, only=(), timeout=START_SECONDS)
    with pytest.raises(SandboxStartFailed, match=r"(?s)probe-2/kube-scheduler.*cannot schedule anything"):
        probe.ports.sandbox.up(tools, request, _ignore)
    after = probe.pids()
    assert {key: after[key] for key in before} == before
    assert {pid for key, pid in after.items() if key not in before} == {None}
    assert len(processes.strays(probe.root, ())) == len(before)
    assert probe.up().state == "ready"


def test_an_old_certificate_is_made_anew(probe: Probe) -> None:
    probe.up(1)
    probe.ports.sandbox.down(("probe-1",), _ignore, keep_data=False)
    certificate = probe.root / "probe-1" / "tls" / "apiserver.crt"
    before = certificate.read_bytes()
    os.utime(certificate, (0, 0))
    probe.up()
    assert certificate.read_bytes() != before
    assert probe.uid("probe-1")


def test_kept_data_survives_a_stop_of_everything(probe: Probe) -> None:
    probe.up(1)
    uid = probe.uid("probe-1")
    probe.ports.sandbox.down((), _ignore, keep_data=True)
    assert probe.ports.sandbox.status().state == "stopped"
    assert processes.strays(probe.root, ()) == []
    probe.up()
    assert probe.uid("probe-1") == uid


def test_down_leaves_nothing_even_after_a_start_was_killed(probe: Probe) -> None:
    code = "from fleetmgr.cli.sandbox import sandbox; sandbox()"
    arguments = ["up", "--name", NAME, "--clusters", "1"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True
    ) as start:
        assert start.stderr is not None
        assert start.stderr.readline().startswith("etcd ready")
        start.kill()
    assert processes.strays(probe.root, ())
    assert probe.ports.sandbox.down((), _ignore, keep_data=False) == ("probe-1",)
    assert processes.strays(probe.root, ()) == []
    assert not probe.root.exists()
    assert not (probe.home / ".kube" / "fleetmgr-probe.yaml").exists()
    assert probe.ports.sandbox.status().state == "absent"


def test_kubeconfig_is_private_and_starts_at_the_first_cluster(probe: Probe) -> None:
    path = probe.up(1).kubeconfig
    assert path.stat().st_mode & 0o777 == 0o600
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["current-context"] == "probe-1"
    tokens = [user["user"]["token"] for user in document["users"]]
    for file in probe.root.rglob("*"):
        if file.is_file() and any(token.encode() in file.read_bytes() for token in tokens):
            assert file.stat().st_mode & 0o077 == 0, file


def _until_dead(pid: int) -> None:
    while processes.find(pid) is not None:
        time.sleep(0.05)  # noqa: TID251 - another process's end cannot be awaited otherwise


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1)
    return listener
