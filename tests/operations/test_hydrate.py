"""``fleet render``: stable, masked, and it removes nothing that it did not write."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from fleetmgr.cli import main as cli

FLEET = """\
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: shop
environments: [{name: dev}, {name: prod}]
clusters:
  - {name: dev-1, environment: dev, access: {context: a}}
  - {name: prod-1, environment: prod, access: {context: b}}
apps:
  - {name: web, namespace: web, source: {type: manifests, path: apps/web}}
  - {name: api, namespace: api, source: {type: manifests, path: apps/api}}
"""
KEYS = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {password: hunter2}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n"


def run(arguments: list[str]) -> int:
    """One command line in the working directory."""
    return cli.run(arguments, environment={})


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "fleet"
    for name, text in {
        "fleet.yaml": FLEET,
        "apps/web/a.yaml": CONFIG,
        "apps/web/b.yaml": KEYS,
        "apps/api/a.yaml": CONFIG,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.yaml"))


def test_the_stream_is_stable_and_says_where_each_object_goes(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet.exists()
    assert run(["render"]) == 0
    first = capsys.readouterr().out
    assert run(["render"]) == 0

    assert capsys.readouterr().out == first
    assert len([d for d in yaml.safe_load_all(first) if d]) == 6
    assert first.startswith("---\n# cluster: dev-1, app: web\n")


def test_secrets_are_masked_unless_asked_for(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet.exists()
    run(["render", "-a", "web"])
    masked = capsys.readouterr().out
    run(["render", "-a", "web", "--show-secrets"])

    assert "aHVudGVyMg==" not in masked
    assert "password: (sensitive)" in masked
    assert "aHVudGVyMg==" in capsys.readouterr().out


def test_a_folder_holds_one_file_an_object_and_forgets_what_is_gone(fleet: Path) -> None:
    assert run(["render", "--out", "out", "--show-secrets"]) == 0
    out = fleet / "out"
    assert "dev-1/web/configmap-web-settings.yaml" in files(out)
    assert len(files(out)) == 6
    assert stat.S_IMODE((out / "dev-1/web/secret-web-keys.yaml").stat().st_mode) == 0o600
    (out / "dev-1/web/mine.yaml").write_text("mine")
    (fleet / "apps/web/b.yaml").unlink()

    assert run(["render", "--out", "out", "-c", "prod-1"]) == 0
    assert "dev-1/web/secret-web-keys.yaml" in files(out)
    assert "prod-1/web/secret-web-keys.yaml" not in files(out)

    assert run(["render", "--out", "out"]) == 0
    assert "dev-1/web/secret-web-keys.yaml" not in files(out)
    assert "dev-1/web/mine.yaml" in files(out)


def test_a_folder_of_others_is_refused(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fleet / "out").mkdir()
    (fleet / "out/theirs.txt").write_text("theirs")

    assert run(["render", "--out", "out"]) == 5

    assert "FLT-5014" in capsys.readouterr().err
    assert [p.name for p in (fleet / "out").iterdir()] == ["theirs.txt"]


def test_a_marker_that_somebody_edited_removes_nothing_outside(fleet: Path, tmp_path: Path) -> None:
    (tmp_path / "keep.yaml").write_text("keep")
    run(["render", "--out", "out"])
    marker = fleet / "out/.fleetmgr-rendered"
    marker.write_text(marker.read_text() + f"../../keep.yaml\n{tmp_path}/keep.yaml\n")

    assert run(["render", "--out", "out"]) == 0

    assert (tmp_path / "keep.yaml").exists()


def test_a_link_in_the_folder_is_never_written_through(fleet: Path, tmp_path: Path) -> None:
    run(["render", "--out", "out", "-c", "dev-1"])
    (tmp_path / "elsewhere").mkdir()
    (fleet / "out/prod-1").symlink_to(tmp_path / "elsewhere")

    assert run(["render", "--out", "out"]) == 5

    assert list((tmp_path / "elsewhere").rglob("*.yaml")) == []
