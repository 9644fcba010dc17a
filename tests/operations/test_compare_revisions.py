"""``fleet diff BASE..HEAD``: what two revisions render, with no cluster anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.git.checkouts import commit_all, new_repository
from tests.operations.test_hydrate import CONFIG, FLEET, KEYS, run


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = new_repository(tmp_path / "fleet")
    for name, text in {
        "fleet.yaml": FLEET,
        "apps/web/a.yaml": CONFIG,
        "apps/web/b.yaml": KEYS,
        "apps/api/a.yaml": CONFIG,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    commit_all(folder)
    return folder


def changes(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert run(["diff", *arguments, "-o", "json"]) == 0
    return json.loads(capsys.readouterr().out)["changes"]


def test_an_overlay_changes_one_cluster_and_a_manifest_all(
    fleet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (fleet / "apps/web/a.yaml").write_text(CONFIG.replace("a: b", "a: c"))
    (fleet / "environments/prod").mkdir(parents=True)
    (fleet / "environments/prod/api.yaml").write_text("labels: {x: y}\n")
    commit_all(fleet)

    found = changes(capsys, "HEAD~1..HEAD")

    assert [(c["op"], c["app"], c["clusters"]) for c in found] == [
        ("update", "api", ["prod-1"]),
        ("update", "web", ["dev-1", "prod-1"]),
    ]
    assert "-  a: b\n+  a: c\n" in found[1]["patch"]
    assert "live/" not in found[1]["patch"]


def test_the_working_tree_is_compared_too(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fleet / "apps/api/new.yaml").write_text(CONFIG.replace("settings", "more"))
    (fleet / "apps/web/a.yaml").unlink()

    found = changes(capsys, "HEAD..")

    assert [(c["op"], c["app"]) for c in found] == [("create", "api"), ("delete", "web")]
    assert changes(capsys, "HEAD..", "-a", "web") == found[1:]
    assert changes(capsys, "HEAD..HEAD") == []


def test_values_of_secrets_are_never_shown(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fleet / "apps/web/b.yaml").write_text(KEYS.replace("hunter2", "hunter3"))

    assert run(["diff", "HEAD..", "--detailed-exitcode"]) == 2

    text = capsys.readouterr().out
    assert "(sensitive, changed)" in text
    assert "aHVudGVy" not in text
    assert "hunter" not in text


def test_a_cluster_that_is_new_and_one_that_is_gone(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fleet / "fleet.yaml").write_text(FLEET.replace("prod-1", "prod-2"))

    found = changes(capsys, "HEAD..", "-a", "api")

    assert [(c["op"], c["clusters"]) for c in found] == [("create", ["prod-2"]), ("delete", ["prod-1"])]


def test_a_revision_that_does_not_render_says_which(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fleet / "apps/web/a.yaml").write_text("a: [\n")
    bad = commit_all(fleet)
    (fleet / "apps/web/a.yaml").write_text(CONFIG)

    assert run(["diff", "HEAD.."]) == 1

    assert f"at {bad[:12]}: " in capsys.readouterr().err


@pytest.mark.parametrize("text", ["HEAD", "..HEAD", "a...b"])
def test_what_is_no_range_is_a_usage_error(
    fleet: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert fleet.exists()
    assert run(["diff", text]) == 64
    assert "is no range of revisions" in capsys.readouterr().err


def test_an_unknown_revision_and_an_unknown_app(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet.exists()
    assert run(["diff", "nowhere..HEAD"]) == 1
    assert "FLT-1204" in capsys.readouterr().err
    assert run(["diff", "HEAD..", "-a", "nothing"]) == 64
