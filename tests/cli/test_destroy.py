"""``fleet destroy`` on the command line: what must be said before anything goes, and in which forms it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetmgr.operations.walk import Walk
from fleetmgr.wiring import walk as wired
from tests.cli.conftest import Cli
from tests.operations.test_destroy import CLAIM, Doomed
from tests.operations.worlds import config

ALL = {"Deployment/web", "ConfigMap/settings"}


@pytest.fixture
def doomed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doomed:
    """An applied fleet ``shop`` that the command line walks."""
    made = Doomed(tmp_path)
    made.apply()

    def open_walk(file: Path, *, parallel: int, engine: str | None) -> Walk:
        assert engine is None
        assert file.name == "fleet.yaml"
        assert parallel
        return made.walk()

    monkeypatch.setattr(wired, "open_walk", open_walk)
    return made


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        ((), "FLT-6450", "--all"),
        (("--all", "-e", "dev"), "FLT-6450", "leave out --all"),
        (("--all",), "FLT-6451", "add --yes --confirm shop"),
        (("--all", "--yes"), "FLT-6451", "add --confirm shop"),
        (("--all", "--confirm", "shop"), "FLT-6451", "add --yes"),
        (("--all", "--yes", "--confirm", "shoe"), "FLT-6452", "`shop`"),
    ],
)
def test_without_a_terminal_everything_must_be_said(
    cli: Cli, doomed: Doomed, args: tuple[str, ...], code: str, told: str
) -> None:
    result = cli("destroy", *args)
    assert (result.code, doomed.live()) == (64, ALL)
    assert code in result.err
    assert told in result.err


@pytest.mark.parametrize("typed", ["y\n", "yes\n", "SHOP\n", "\n", ""])
def test_on_a_terminal_only_the_name_of_the_fleet_is_a_yes(cli: Cli, doomed: Doomed, typed: str) -> None:
    result = cli("destroy", "--all", stdin=typed)
    assert (result.code, doomed.live()) == (1, ALL)
    assert "Type the name of the fleet (shop) to delete this" in result.err
    assert "Nothing was deleted." in result.err
    assert cli("destroy", "--all", "--yes", stdin="y\n").code == 1
    assert doomed.live() == ALL


def test_the_typed_name_destroys(cli: Cli, doomed: Doomed) -> None:
    result = cli("destroy", "-e", "dev", stdin="shop\n")
    assert (result.code, doomed.live(), doomed.live("prod-1")) == (0, set(), ALL)
    assert "Plan to destroy: 1 cluster, 1 changed (2 delete)" in result.out
    assert "Destroy: 1 cluster, 1 done; 2 deleted" in result.out


def test_json_says_that_it_is_a_destroy(cli: Cli, doomed: Doomed) -> None:
    planned = cli("destroy", "--all", "--dry-run", "-o", "json")
    assert (planned.code, doomed.live()) == (0, ALL)
    plan = json.loads(planned.out)
    assert (plan["kind"], plan["verb"], plan["summary"]["delete"]) == ("Plan", "destroy", 4)
    for form in ("markdown", "github", "ndjson", "text"):
        assert "Deployment" in cli("destroy", "--all", "--dry-run", "-o", form).out
    done = cli("destroy", "--all", "--yes", "--confirm", "shop", "-o", "json")
    data = json.loads(done.out)
    assert (done.code, data["verb"], data["summary"]["delete"]) == (0, "destroy", 4)
    again = cli("destroy", "--all")
    assert (again.code, "Nothing to delete." in again.out) == (0, True)


def test_a_refusal_is_shown_before_any_question(cli: Cli, doomed: Doomed) -> None:
    doomed.app("api", config("api"), dependsOn=["web"])
    doomed.apply()
    result = cli("destroy", "-a", "web", stdin="shop\n")
    assert result.code == 5
    assert "FLT-5052" in result.err
    assert "Type the name" not in result.err
    assert "FLT-5052" in cli("destroy", "-a", "web", "--dry-run").out
    assert doomed.live() == {*ALL, "ConfigMap/api"}


@pytest.mark.parametrize(
    ("typed", "code", "left"), [("y\nshop\n", 0, False), ("y\ny\n", 1, True), ("y\n", 1, True)]
)
def test_an_apply_asks_for_the_name_where_something_protected_goes(
    cli: Cli, doomed: Doomed, typed: str, code: int, left: bool
) -> None:
    doomed.app("db", CLAIM, config("db"))
    doomed.apply()
    (doomed.fleet.root / "apps/db/all.yaml").write_text(config("db"))
    result = cli("apply", "-e", "dev", "--delete-protected", "PersistentVolumeClaim/shop/data", stdin=typed)
    assert result.code == code, result.err
    assert "Protected, and deleted all the same:\n  - PersistentVolumeClaim shop/data (dev-1)" in result.err
    assert ("PersistentVolumeClaim/data" in doomed.live()) is left


def test_yes_and_a_name_delete_what_is_protected_without_a_question(cli: Cli, doomed: Doomed) -> None:
    doomed.app("db", CLAIM, config("db"))
    doomed.apply()
    (doomed.fleet.root / "apps/db/all.yaml").write_text(config("db"))
    result = cli("apply", "--yes", "--delete-protected", "PersistentVolumeClaim/shop/data")
    assert (result.code, "PersistentVolumeClaim/data" in doomed.live()) == (0, False)
