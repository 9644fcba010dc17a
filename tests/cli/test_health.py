"""``fleet health`` on files, folders and standard input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetmgr.cli.main import run

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
---
# nothing
---
apiVersion: v1
kind: List
items:
  - apiVersion: batch/v1
    kind: Job
    metadata: {name: migrate}
    status: {conditions: [{type: Failed, status: "True", message: too slow}]}
"""
RULES = """\
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: hello
environments: [{name: dev}]
clusters: [{name: dev-1, environment: dev}]
apps: []
health: [{kind: Pod, rules: [{status: Degraded, when: "self.metadata.name == 'web'", message: ours}]}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "a.yaml").write_text(POD)
    (tmp_path / "live" / "notes.txt").write_text("not read")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_every_object_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "live", "-o", "json"], environment={}) == 0
    pod, job = json.loads(capsys.readouterr().out)
    assert pod == {
        "file": "live/a.yaml",
        "kind": "Pod",
        "namespace": "shop",
        "name": "web",
        "status": "Healthy",
        "message": "",
    }
    assert (job["kind"], job["name"], job["status"], job["message"]) == (
        "Job",
        "migrate",
        "Degraded",
        "failed: too slow",
    )


@pytest.mark.usefixtures("folder")
def test_text_is_a_table_and_the_exit_code_is_opt_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "live/a.yaml", "--exit-code"], environment={}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["FILE", "KIND", "NAME", "HEALTH", "MESSAGE"]
    assert lines[2].split(maxsplit=4) == ["live/a.yaml", "Job", "migrate", "Degraded", "failed: too slow"]


def test_rules_of_the_fleet_hold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "fleet.yaml").write_text(RULES)
    assert run(["health", "live", "-o", "json"], environment={}) == 0
    assert json.loads(capsys.readouterr().out)[0]["message"] == "ours"


@pytest.mark.parametrize("name", ["missing.yaml", "empty", "broken.yaml"])
def test_what_cannot_be_read_is_an_error(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    (folder / "broken.yaml").write_text("a: [")
    assert run(["health", name], environment={}) == 1
    assert name in capsys.readouterr().err
