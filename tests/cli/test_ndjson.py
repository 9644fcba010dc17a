"""`-o ndjson`: events while the run goes on, the result at the end, whole lines from any thread."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from fleetmgr.cli.invocation import Invocation, Output
from fleetmgr.cli.progress import shown
from fleetmgr.errors import ExitCode, FleetError, Problem
from fleetmgr.model.change import Op
from fleetmgr.model.event import ClusterFinished, ClusterStarted, Event, ObjectChanged, ObjectFailed, Waiting
from fleetmgr.reporting.ndjson import event_data
from tests.cli.conftest import Cli, Fleet
from tests.reporting.fleets import WEB, change, cluster, plan_of

TIME = "2026-11-21T01:02:03Z"
NAMED = {
    "resource": "apps/v1/Deployment/shop-web/web",
    "object": {
        "group": "apps",
        "version": "v1",
        "kind": "Deployment",
        "namespace": "shop-web",
        "name": "web",
    },
}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ClusterStarted(cluster="a", phase="apply"), {"phase": "apply"}),
        (
            ObjectChanged(cluster="a", app="web", op=Op.CREATE, ref=WEB),
            {"app": "web", "op": "create", **NAMED},
        ),
        (
            ObjectFailed(cluster="a", app="web", ref=WEB, problem=Problem(message="no", code="FLT-2001")),
            {"app": "web", **NAMED, "error": {"code": "FLT-2001", "message": "no"}},
        ),
        (
            Waiting(cluster="a", app="web", ready=1, total=3, message="starting"),
            {"app": "web", "ready": 1, "total": 3, "message": "starting"},
        ),
        (
            ClusterFinished(cluster="a", phase="apply", exit_code=ExitCode.TIMEOUT, summary="1 done"),
            {"phase": "apply", "exitCode": 9, "summary": "1 done"},
        ),
    ],
)
def test_events_as_data(event: Event, expected: dict[str, object]) -> None:
    head = {"apiVersion": "fleetmgr.dev/v1", "kind": type(event).__name__, "time": TIME, "cluster": "a"}
    assert event_data(event, time=TIME) == {**head, **expected}


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_an_apply_line_by_line(cli: Cli, fleet: Fleet, tmp_path: Path) -> None:
    fleet.plan = plan_of(cluster("dev-1", change(Op.CREATE)))
    (tmp_path / "run.ndjson").write_text("of an earlier run\n")
    result = cli("apply", "--yes", "-o", "ndjson", "-o", "ndjson=run.ndjson", "--progress", "none")
    kinds = [line["kind"] for line in lines(result.out)]
    assert kinds == ["ClusterStarted", "ClusterFinished", "ApplyResult"]
    assert (tmp_path / "run.ndjson").read_text() == result.out
    assert "Plan: 1 cluster" in result.err


def test_the_result_is_the_last_line_of_a_file(cli: Cli, fleet: Fleet, tmp_path: Path) -> None:
    fleet.plan = plan_of(cluster("dev-1"))
    result = cli("plan", "-o", "ndjson=run.ndjson", "--progress", "plain")
    assert result.out.startswith("Plan: 1 cluster")
    assert "dev-1: preview started" in result.err
    assert [line["kind"] for line in lines((tmp_path / "run.ndjson").read_text())] == [
        "ClusterStarted",
        "Plan",
    ]
    cli("doctor", "-o", "ndjson=run.ndjson")
    assert [line["kind"] for line in lines((tmp_path / "run.ndjson").read_text())] == ["Diagnosis"]


def test_a_failure_is_the_last_line(cli: Cli, fleet: Fleet) -> None:
    fleet.error = FleetError("broken")
    assert [line["kind"] for line in lines(cli("plan", "-o", "ndjson").out)] == ["Error"]


def test_lines_of_several_threads_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    invocation = Invocation(outputs=(Output("ndjson", path),), progress="none")
    with shown(invocation) as sink:

        def tell(number: int) -> None:
            for _ in range(50):
                sink(ClusterStarted(cluster=f"c-{number}" * 50, phase="apply"))

        threads = [threading.Thread(target=tell, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(lines(path.read_text())) == 400
