"""A fleet of kustomizations: base and overlays per environment, each distinct tree rendered once."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetmgr.adapters.kustomize import program
from tests.adapters.git.checkouts import commit_all, new_repository
from tests.operations.test_hydrate import run

FLEET = """\
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: shop
environments: [{name: dev}, {name: prod, vars: {count: 3}}]
clusters:
  - {name: dev-1, environment: dev, access: {context: a}}
  - {name: dev-2, environment: dev, access: {context: b}}
  - {name: prod-1, environment: prod, access: {context: c}}
apps:
  - name: web
    namespace: web
    source: {type: kustomize, path: "apps/web/overlays/${environment.name}"}
    vars: {count: 1}
    overlays:
      prod:
        vars: {count: 3}
        patches:
          - target: {kind: Deployment, name: prod-web}
            patch: {metadata: {annotations: {owner: "${cluster.name}"}}}
"""
BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${vars.count}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
"""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "fleet"
    for name, text in {
        "fleet.yaml": FLEET,
        "apps/web/base/kustomization.yaml": "resources: [web.yaml]\n",
        "apps/web/base/web.yaml": BASE,
        "apps/web/overlays/dev/kustomization.yaml": "resources: [../../base]\nnamePrefix: dev-\n",
        "apps/web/overlays/prod/kustomization.yaml": "resources: [../../base]\nnamePrefix: prod-\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every process that is started for kustomize."""
    started: list[Any] = []

    class Counted(subprocess.Popen[bytes]):
        def __init__(self, command: Any, **options: Any) -> None:
            started.append(command)
            super().__init__(command, **options)

    monkeypatch.setattr(program.subprocess, "Popen", Counted)
    return started


def test_a_distinct_tree_is_rendered_once_and_never_again(
    fleet: Path, processes: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet.exists()
    assert run(["render"]) == 0
    first = capsys.readouterr().out
    found = [
        (body["metadata"]["name"], body["spec"]["replicas"], body["metadata"]["annotations"].get("owner"))
        for body in yaml.safe_load_all(first)
        if body
    ]

    assert found == [("dev-web", 1, None), ("dev-web", 1, None), ("prod-web", 3, "prod-1")]
    assert len(processes) == 3, "one a tree, one for the patch"

    assert run(["render"]) == 0
    assert capsys.readouterr().out == first
    assert len(processes) == 3


def test_a_path_that_is_missing_for_one_environment_names_it(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet / "apps/web/overlays/prod/kustomization.yaml").unlink()
    (fleet / "apps/web/overlays/prod").rmdir()

    assert run(["render"]) == 1

    told = capsys.readouterr().err
    assert "app web in environment prod: path `apps/web/overlays/prod` is not there" in told
    assert "fleet.yaml:12:" in told
    assert "environment dev" not in told


def test_a_patch_that_matches_nothing_is_told_at_its_line(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet / "fleet.yaml").write_text(FLEET.replace("name: prod-web", "name: web"))

    assert run(["validate"]) == 1

    told = capsys.readouterr().out
    assert "FLT-1314" in told
    assert "fleet.yaml:18:" in told
    assert "Deployment/prod-web" in told


def test_two_revisions_of_kustomizations_are_compared(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    commit_all(new_repository(fleet))
    (fleet / "apps/web/base/web.yaml").write_text(BASE.replace("nginx", "nginx:2"))

    assert run(["diff", "HEAD.."]) == 0

    assert capsys.readouterr().out.count("image: nginx:2") == 2


def test_explain_says_what_a_patch_is_for_and_never_what_it_says(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet / "fleet.yaml").write_text(FLEET.replace("owner:", "hunter2:"))

    assert run(["explain", "web@prod-1"]) == 0

    told = capsys.readouterr().out
    assert "patches[0]" in told
    assert "prod-web" in told
    assert "hunter2" not in told
