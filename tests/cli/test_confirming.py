"""Refusals and confirmations on the command line: what is asked, what is never asked, how the run ends."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from fleetmgr.errors import Problem, Where
from fleetmgr.model.change import Confirmation, Op, Refusal
from tests.cli.conftest import Cli, Fleet
from tests.reporting.fleets import SERVICE, SETTINGS, WEB, change, cluster, plan_of


@pytest.fixture
def waiting(fleet: Fleet) -> Fleet:
    doomed = [replace(change(Op.DELETE, ref), needs=Confirmation.DELETES) for ref in (SERVICE, SETTINGS)]
    fleet.plan = plan_of(cluster("dev-1", change(Op.UPDATE, WEB), *doomed), cluster("dev-2"))
    return fleet


@pytest.mark.parametrize(("typed", "code"), [("y\n2\n", 0), ("y\ny\n", 7), ("y\n\n", 7), ("y\n3\n", 7)])
def test_the_second_question_is_answered_by_the_number(
    cli: Cli, waiting: Fleet, typed: str, code: int
) -> None:
    result = cli("apply", stdin=typed)
    assert result.code == code, result.err
    assert "Service shop-web/web (dev-1)" in result.err
    assert "Type 2 to delete them" in result.err
    assert len(waiting.applied) == 1
    assert ("Waiting for a confirmation" in result.out) == (code == 7)


def test_a_no_to_the_first_question_asks_no_second(cli: Cli, waiting: Fleet) -> None:
    result = cli("apply", stdin="n\n")
    assert result.code == 1
    assert "Type 2" not in result.err
    assert waiting.applied == []


def test_yes_confirms_no_deletes(cli: Cli, waiting: Fleet) -> None:
    result = cli("apply", "--yes", "-o", "json", stdin="2\n")
    assert result.code == 7
    assert "Type 2" not in result.err
    data = json.loads(result.out)
    results = [r for c in data["clusters"] for r in c["results"]]
    assert [(r["op"], r["outcome"], r["error"]["code"]) for r in results] == [
        ("delete", "waiting", "FLT-5005"),
        ("delete", "waiting", "FLT-5005"),
    ]
    assert data["summary"]["objects"]["waiting"] == 2
    assert [c["exitCode"] for c in data["clusters"]] == [7, 0]
    assert waiting.applied


def test_a_refused_plan_asks_nothing_and_applies_nothing(cli: Cli, waiting: Fleet) -> None:
    problem = Problem(message="too much", where=Where(cluster="x"), hint="--max-deletes 2", code="FLT-5002")
    found = tuple(Refusal(cluster=n, problem=problem, objects=(WEB,)) for n in ("dev-1", "dev-2"))
    waiting.plan = replace(waiting.plan, refusals=found)
    result = cli("apply", stdin="y\n2\n")
    assert (result.code, waiting.applied) == (5, [])
    assert "error[FLT-5002]: too much\n  at dev-1, dev-2\n  hint: --max-deletes 2" in result.err
    planned = cli("plan")
    assert planned.code == 0
    assert "Refused (dev-1, dev-2): too much [FLT-5002]\n  Deployment shop-web/web" in planned.out
    for form in ("markdown", "github"):
        assert "Refused (dev-1, dev-2)" in cli("plan", "-o", form).out
    assert len(json.loads(cli("plan", "-o", "json").out)["refusals"]) == 2
