"""--timings: phases, clusters and requests, on standard error and under one key of the result; nothing without it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest

from fleetmgr.cli.main import run
from fleetmgr.cli.stopwatch import Stopwatch
from fleetmgr.errors import ExitCode
from fleetmgr.model.event import ClusterFinished, ClusterStarted, Event
from fleetmgr.model.timings import Spent
from fleetmgr.reporting.timings import timings_data, timings_text
from tests.reporting.schemas import hold_to_schemas
from tests.spec.folders import MINIMAL, write

KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: gone, user: {token: none}}]
contexts: [{name: gone, context: {cluster: gone, user: gone}}]
"""


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def started(cluster: str, phase: str) -> Event:
    return ClusterStarted(cluster=cluster, phase=phase)


def finished(cluster: str, phase: str) -> Event:
    return ClusterFinished(cluster=cluster, phase=phase, exit_code=ExitCode.OK, summary="")


def watched() -> tuple[Stopwatch, list[Event]]:
    """A run of two clusters: loaded in 1 s, rendered in 2, previewed side by side in 4 and 6, one applied in 3."""
    hands, heard = Hands(), list[Event]()
    watch = Stopwatch(hands)
    with watch.loading():
        hands.at = 1.0
    sink = watch.hearing(heard.append)
    steps = [
        (3.0, started("a", "preview")),
        (3.0, started("b", "preview")),
        (7.0, finished("a", "preview")),
        (9.0, finished("b", "preview")),
        (20.0, started("a", "apply")),
        (23.0, finished("a", "apply")),
    ]
    for at, event in steps:
        hands.at = at
        sink(event)
    hands.at = 24.0
    return watch, heard


def test_phases_are_walls_of_the_run_and_sums_of_each_cluster() -> None:
    watch, heard = watched()
    assert len(heard) == 6
    found = watch.read()
    assert found.seconds == 24.0
    assert found.phases == {"load": 1.0, "render": 2.0, "preview": 6.0, "apply": 3.0}
    assert {c.cluster: c.phases for c in found.clusters} == {
        "a": {"preview": 4.0, "apply": 3.0},
        "b": {"preview": 6.0},
    }


def test_requests_are_counted_by_cluster_and_in_all_with_the_slowest() -> None:
    watch, _ = watched()
    watch.counts(
        lambda: {
            "a": {"list": Spent(count=2, seconds=0.5, slowest=0.4)},
            "b": {
                "list": Spent(count=1, seconds=0.7, slowest=0.7),
                "apply": Spent(count=1, seconds=0.1, slowest=0.1),
            },
        }
    )
    data = timings_data(watch.read())
    assert data["requests"] == {
        "apply": {"count": 1, "seconds": 0.1, "slowest": 0.1},
        "list": {"count": 3, "seconds": 1.2, "slowest": 0.7},
    }
    assert timings_text(watch.read()).splitlines()[-3:] == [
        "cluster  seconds                     requests",
        "a        preview 4.000, apply 3.000  2 list",
        "b        preview 6.000               1 apply, 1 list",
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet whose only cluster refuses connections."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    access = "environment: dev, access: {kubeconfig: kube.yaml, context: gone}}"
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
    files = {"kube.yaml": KUBECONFIG, "apps/web/a.yaml": manifest}
    write(tmp_path / "fleet", {"fleet.yaml": MINIMAL.replace("environment: dev}", access), **files})
    monkeypatch.chdir(tmp_path / "fleet")
    return tmp_path / "fleet"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("verb", ["plan", "drift"])
def test_asked_for_they_are_in_the_result_and_on_standard_error(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([verb, "--progress", "none", "-o", "json", "--timings"], environment={}) == ExitCode.PARTIAL
    out, err = capsys.readouterr()
    hold_to_schemas(out)
    timings = json.loads(out)["timings"]
    assert list(timings["phases"]) == ["load", "render", "preview"]
    (cluster,) = timings["clusters"]
    assert cluster["name"] == "dev-1"
    assert cluster["requests"] == timings["requests"]
    (sent,) = timings["requests"].values()
    assert sent["count"] >= 1
    assert sent["seconds"] >= sent["slowest"]
    assert "whole run" in err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("output", ["json", "text"])
def test_not_asked_for_they_are_nowhere(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--progress", "none", "-o", output], environment={}) == ExitCode.PARTIAL
    out, err = capsys.readouterr()
    assert "timings" not in out
    assert "whole run" not in out + err


def test_a_run_that_fails_tells_them_as_well(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(""))
    (folder / "fleet.yaml").write_text("kind: Fleet\n")
    assert run(["apply", "--timings"], environment={}) == ExitCode.FAILED
    assert "whole run" in capsys.readouterr().err
