"""``fleet sandbox`` as scripts and people see it, over a sandbox that only pretends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fleetmgr.cli.main import run
from fleetmgr.ports.sandbox import (
    ClusterStatus,
    ProcessState,
    ProcessStatus,
    SandboxStatus,
    UpRequest,
)
from fleetmgr.wiring import sandbox as wiring


def process(name: str, state: ProcessState) -> ProcessStatus:
    up = state == "ready"
    return ProcessStatus(
        name=name,
        state=state,
        pid=41 if up else None,
        port=20001,
        rss=100 * 2**20 if up else None,
        uptime=125.0 if up else None,
        log=Path("/logs") / name,
    )


class Pretended:
    """Implements ports.toolchain.Toolchain and ports.sandbox.Sandbox in memory."""

    def __init__(self, apiserver: ProcessState = "ready") -> None:
        self.requests: list[UpRequest] = []
        self.apiserver: ProcessState = apiserver

    def provide(self, progress: Callable[[str], None]) -> Mapping[str, Path]:
        progress("building")
        return {}

    def up(
        self, tools: Mapping[str, Path], request: UpRequest, progress: Callable[[str], None]
    ) -> SandboxStatus:
        del tools
        progress("etcd ready")
        self.requests.append(request)
        return self.status()

    def down(
        self, only: tuple[str, ...], progress: Callable[[str], None], *, keep_data: bool
    ) -> tuple[str, ...]:
        del progress, keep_data
        return only

    def status(self) -> SandboxStatus:
        ready = self.apiserver == "ready"
        cluster = ClusterStatus(
            name="box-1",
            state="ready" if ready else "degraded",
            server="https://127.0.0.1:20001",
            processes=(process("kube-apiserver", self.apiserver),),
        )
        return SandboxStatus(
            name="box",
            state="ready" if ready else "degraded",
            kubeconfig=Path("/home/me/.kube/fleetmgr-box.yaml"),
            shared=(process("etcd", "ready"),),
            clusters=(cluster,),
        )

    def kubeconfig(self) -> Path:
        return self.status().kubeconfig


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    found = Pretended()

    def ports(name: str) -> wiring.SandboxPorts:
        assert name in {"sandbox", "box"}
        return wiring.SandboxPorts(toolchain=found, sandbox=found)

    monkeypatch.setattr(wiring, "sandbox", ports)
    return found


def fleet(*arguments: str) -> int:
    return run(["sandbox", *arguments], environment={})


def test_up_prints_the_result_and_says_the_way_on_stderr(
    pretended: Pretended, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet("up", "--name", "box", "--clusters", "4", "--timeout", "1m30s") == 0
    assert pretended.requests == [UpRequest(clusters=4, only=(), timeout=90.0)]
    out, err = capsys.readouterr()
    assert err == "building\netcd ready\n"
    assert out.splitlines() == [
        "sandbox box: ready",
        "kubeconfig: /home/me/.kube/fleetmgr-box.yaml",
        "  etcd                    ready          41  20001  100 MB    2m  (shared by all)",
        "box-1: ready  https://127.0.0.1:20001",
        "  kube-apiserver          ready          41  20001  100 MB    2m",
    ]


def test_status_is_data_and_fails_unless_all_is_ready(
    pretended: Pretended, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet("status", "-o", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["state"]) == ("SandboxStatus", "ready")
    assert document["clusters"][0]["processes"][0]["rss"] == 100 * 2**20
    pretended.apiserver = "dead"
    assert fleet("status") == 1
    assert "kube-apiserver          dead            -  20001       -     -" in capsys.readouterr().out


def test_down_says_what_it_stopped(pretended: Pretended, capsys: pytest.CaptureFixture[str]) -> None:
    del pretended
    assert fleet("down", "--cluster", "box-1", "--name", "box") == 0
    assert fleet("down", "--name", "box") == 0
    assert capsys.readouterr().out.splitlines() == [
        "stopped: box-1",
        "nothing to stop: there is no sandbox 'box'",
    ]


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize("arguments", [("up", "--clusters", "0"), ("up", "--timeout", "soon"), ("sideways",)])
def test_wrong_arguments_are_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert fleet(*arguments) == 64


@pytest.mark.parametrize("verb", ["up", "down", "status", "kubeconfig"])
def test_every_command_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet(verb, "--help") == 0
    assert "Example:" in capsys.readouterr().out
