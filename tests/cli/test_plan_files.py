"""fleet plan --out, fleet show, fleet apply FILE: what they print, and what does not go together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetmgr import __version__
from fleetmgr.model.change import Op
from fleetmgr.model.saved_plan import SavedCluster, SavedPlan
from fleetmgr.model.selection import Selection
from fleetmgr.planner.plan_file import encode
from tests.cli.conftest import Cli, Fleet
from tests.reporting.fleets import IMAGE, WEB, change, cluster, plan_of
from tests.reporting.schemas import problems_of


@pytest.fixture
def saved() -> SavedPlan:
    return SavedPlan(
        tool=__version__,
        made_at="2026-11-21T01:00:00Z",
        actor="me@host",
        nonce="n",
        fleet_digest="sha256:f",
        selection=Selection(environments=("dev",)),
        options=("adopt",),
        plan=plan_of(cluster("dev-1", change(Op.UPDATE, WEB, IMAGE))),
        clusters=(SavedCluster(name="dev-1", apps=(), bindings=(), note="the key may not be read"),),
    )


def put(path: Path, plan: SavedPlan) -> str:
    content, identifier = encode(plan, "As it was.", packed=path.suffix == ".gz")
    path.write_bytes(content)
    return identifier


@pytest.mark.parametrize("name", ["plan.json", "plan.json.gz"])
def test_a_plan_is_shown_with_what_it_is(cli: Cli, saved: SavedPlan, tmp_path: Path, name: str) -> None:
    identifier = put(tmp_path / name, saved)
    result = cli("show", name)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[:4] == [
        f"Saved plan {identifier[:12]} of fleet shop at 3f2a1c9d0b7e",
        f"  made 2026-11-21T01:00:00Z by me@host with fleetmgr {__version__}",
        "  made with: -e dev --adopt",
        "  dev-1: the key may not be read",
    ]
    assert "~ Deployment shop-web/web (dev-1)" in result.out
    assert "nginx:1.27" in cli("show", name, "-o", "markdown").out
    assert "Saved plan" in cli("show", name, "-o", "github").out
    data = json.loads(cli("show", name, "-o", "json").out)
    assert not problems_of(data)
    assert (data["kind"], data["stale"], data["plan"]["kind"]) == ("PlanFile", False, "Plan")


def test_a_plan_of_another_version_is_shown_and_called_stale(
    cli: Cli, saved: SavedPlan, tmp_path: Path
) -> None:
    put(tmp_path / "plan.json", replace(saved, tool="99.0"))
    result = cli("show", "plan.json")
    assert f"stale: fleetmgr 99.0 made it, this is fleetmgr {__version__}" in result.out
    assert json.loads(cli("show", "plan.json", "-o", "json").out)["stale"] is True


def test_what_is_no_plan_file_is_an_error(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{")
    result = cli("show", "plan.json")
    assert (result.code, result.out) == (1, "")
    assert "FLT-2046" in result.err
    assert cli("show", "missing.json").code == 64


@pytest.mark.parametrize(
    "option", [["-e", "dev"], ["-c", "dev-1"], ["-a", "web"], ["-l", "a=b"], ["--adopt"]]
)
def test_a_saved_plan_says_itself_what_it_selects(
    cli: Cli, fleet: Fleet, saved: SavedPlan, tmp_path: Path, option: list[str]
) -> None:
    put(tmp_path / "plan.json", saved)
    result = cli("apply", "plan.json", "--yes", *option)
    assert result.code == 64
    assert not fleet.applied
    assert not fleet.opened
