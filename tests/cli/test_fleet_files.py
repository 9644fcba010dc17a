"""``init``, ``validate``, ``explain`` and ``schema`` as people and scripts see them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fleetmgr.cli.main import run
from tests.spec.folders import FULL_FILES, MINIMAL, write


def deployment(name: str) -> str:
    pod = "{metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}"
    spec = f"{{replicas: 1, selector: {{matchLabels: {{a: b}}}}, template: {pod}}}"
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {spec}\n"


SOURCES = {
    f"apps/{folder}/all.yaml": f"{deployment('web')}---\n{deployment('api')}" for folder in ("dev", "other")
} | {"apps/ingress/all.yaml": deployment("ingress")}


def fleet(*args: str | Path) -> int:
    return run([str(a) for a in args], environment={})


def test_init_writes_a_fleet_that_validates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet("init", tmp_path / "My Shop") == 0
    out = capsys.readouterr().out
    assert "Fleet my-shop is ready" in out
    root = tmp_path / "My Shop"
    assert (
        (root / "fleet.yaml")
        .read_text()
        .startswith("# yaml-language-server: $schema=.fleet/fleet.schema.json\n")
    )
    assert json.loads((root / ".fleet/fleet.schema.json").read_text())["title"] == "Fleet"
    assert (root / ".gitignore").read_text().splitlines() == [
        "*.key",
        "*.pem",
        ".env",
        "secrets/",
        "kubeconfig",
    ]
    kinds = [yaml.safe_load(p.read_text())["kind"] for p in sorted((root / "apps/web").iterdir())]
    assert kinds == ["Deployment", "Service"]
    assert fleet("validate", "-f", root / "fleet.yaml") == 0
    line = "fleet.yaml is valid: fleet my-shop, 1 environment, 1 cluster, 1 app, 1 target\n"
    assert capsys.readouterr().out == line


def test_init_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {".gitignore": "*.pem\nnode_modules", "apps/web/service.yaml": "mine"})
    assert fleet("init", tmp_path, "--name", "shop", "-o", "json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["extended"], done["kept"]) == ([".gitignore"], ["apps/web/service.yaml"])
    assert (tmp_path / "apps/web/service.yaml").read_text() == "mine"
    ignored = (tmp_path / ".gitignore").read_text().splitlines()
    assert ignored == ["*.pem", "node_modules", "*.key", ".env", "secrets/", "kubeconfig"]
    before = (tmp_path / "fleet.yaml").read_text()
    assert fleet("init", tmp_path) == 1
    assert "FLT-1014" in capsys.readouterr().err
    assert (tmp_path / "fleet.yaml").read_text() == before


def test_init_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet("init", tmp_path / "x", "--name", "My Shop") == 64
    (tmp_path / "file").write_text("")
    assert fleet("init", tmp_path / "file" / "below") == 1
    assert "cannot be written" in capsys.readouterr().err
    (tmp_path / "l").mkdir()
    (tmp_path / "l/fleet.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    assert fleet("init", tmp_path / "l") == 1
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_validate_lists_problems_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, {"fleet.yaml": MINIMAL + "enviroments: []\n"})
    assert fleet("validate", "-f", path) == 1
    out = capsys.readouterr().out
    assert (
        "error[FLT-1003]: unknown field `enviroments`\n  at fleet.yaml:7:1\n  hint: did you mean `environments`?"
        in out
    )
    assert "fleet.yaml is not valid: 1 problem\n" in out
    assert fleet("validate", "-f", path, "-o", "json") == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["apiVersion"], data["kind"], data["valid"]) == ("fleetmgr.dev/v1", "Validation", False)
    assert data["problems"] == [
        {
            "code": "FLT-1003",
            "message": "unknown field `enviroments`",
            "where": {"file": "fleet.yaml", "line": 7, "column": 1},
            "hint": "did you mean `environments`?",
        }
    ]


def test_validate_expands_and_renders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, FULL_FILES | SOURCES)
    assert fleet("validate", "-f", path, "-o", "yaml") == 0
    data = yaml.safe_load(capsys.readouterr().out)
    assert data["summary"] == {"environments": 2, "clusters": 3, "apps": 2, "targets": 5}
    path.write_text(MINIMAL.replace("apps/web", "../x"))
    for extra in (tmp_path / "environments/prod/web.yaml", tmp_path / "environments/prod"):
        extra.unlink() if extra.is_file() else extra.rmdir()
    assert fleet("validate", "-f", path) == 1
    assert "error[FLT-1106]" in capsys.readouterr().out
    path.write_text(MINIMAL.replace("apps/web", "apps/nope"))
    assert fleet("validate", "-f", path) == 1
    assert "`apps/nope` is not there" in capsys.readouterr().out


@pytest.mark.parametrize("command", [("validate",), ("explain", "web@dev-1")])
def test_a_missing_fleet_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert fleet(*command, "-f", tmp_path / "fleet.yaml") == 64
    assert "fleet init" in capsys.readouterr().err


def test_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, FULL_FILES)
    assert fleet("explain", "web@prod-1", "-f", path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["KEY", "VALUE", "LAYER", "WHERE"]
    row = next(line for line in lines if line.startswith("replicas.web"))
    assert row.split() == ["replicas.web", "6", "exception", "prod-1", "environments/prod/web.yaml:3"]
    assert fleet("explain", "web", "prod-1", "-f", path, "-o", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["kind"], data["app"], data["cluster"]) == ("Explanation", "web", "prod-1")
    value = next(v for v in data["values"] if v["key"] == "images.nginx")
    assert value["value"] == "1.27.3"
    assert (value["where"]["file"], value["where"]["line"]) == ("environments/prod/web.yaml", 1)


@pytest.mark.parametrize(
    "args", [("web",), ("@x",), ("web@",), ("wbe@dev-1",), ("web@prod-2",), ("web", "nope")]
)
def test_explain_refusals(tmp_path: Path, args: tuple[str, ...]) -> None:
    assert fleet("explain", *args, "-f", write(tmp_path, FULL_FILES)) == 64


def test_explain_asks_for_the_cluster_with_those_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet("explain", "web", "-f", write(tmp_path, FULL_FILES)) == 64
    err = capsys.readouterr().err
    assert "on which cluster? `web` is on dev-1" in err
    assert "hint: write web@dev-1\n" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-e", "prod"), "select what --waiting looks at"),
        (("web@prod-1", "-c", "prod-1", "--waiting"), "name the same thing"),
        (("web", "-a", "web", "--waiting"), "name the same thing"),
        (("wbe@prod-1", "--waiting"), "did you mean `web`"),
        (("web@prod-2", "--waiting"), ""),
    ],
)
def test_explain_what_waits_refuses_what_it_cannot_look_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str
) -> None:
    assert fleet("explain", *args, "-f", write(tmp_path, FULL_FILES)) == 64
    assert said in capsys.readouterr().err


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Fleet"
    assert fleet("schema", "--kind", "overlay") == 0
    assert "exceptions" in json.loads(capsys.readouterr().out)["properties"]
    assert fleet("schema", "--kind", "x") == 64
