"""The schemas of our JSON: strict, complete, and met by what the reports give."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from fleetmgr.errors import ExitCode, FleetError, InvalidInput, Problem, Where
from fleetmgr.model.change import FieldDiff, Op, Writer
from fleetmgr.model.event import ClusterFinished, ClusterStarted, ObjectChanged, ObjectFailed, Waiting
from fleetmgr.model.explanation import ExplainedValue
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import (
    AppHealth,
    CheckResult,
    ClusterReport,
    ClusterState,
    Diagnosis,
    DoctorCheck,
    FleetStatus,
    ObjectHealth,
    ObjectResult,
    Outcome,
    Report,
    SyncStatus,
    TargetStatus,
)
from fleetmgr.model.validation import FleetSize, Validation
from fleetmgr.planner.outcome import diagnosis_verdict, plan_verdict, report_verdict, status_verdict
from fleetmgr.reporting.apply_data import report_data
from fleetmgr.reporting.doctor import diagnosis_data
from fleetmgr.reporting.explanation import explanation_data
from fleetmgr.reporting.ndjson import event_data
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.problems import error_data
from fleetmgr.reporting.schema import OUTPUT_KINDS, output_schema
from fleetmgr.reporting.status import status_data
from fleetmgr.reporting.unified import diff_data
from fleetmgr.reporting.validation import validation_data
from tests.reporting.fleets import SECRET, WEB, change, cluster, example, failure, plan_of
from tests.reporting.schemas import problems_of

ROOT = Path(__file__).resolve().parents[2]
TIME = "2026-11-21T01:02:03Z"
WHERE = Where(file="fleet.yaml", line=1, column=2, cluster="a", object="b", field="c")
PROBLEM = Problem(message="m", where=WHERE, hint="h", code="FLT-2001")
GONE = failure("no answer", ExitCode.PARTIAL, hint="is the VPN up?")


def samples() -> Iterator[JsonObject]:
    """Every kind, with every optional part once."""
    full = replace(
        change(Op.UPDATE, WEB, FieldDiff(path="/a", old=None, new=[1, {"x": None}]), reason="r"),
        unverified=True,
        drift=True,
        writer="kubectl",
        drift_by=Writer(manager="kubectl", through="scale", at=TIME),
        drift_since=TIME,
    )
    hidden = change(Op.UPDATE, SECRET, FieldDiff(path="/data/a", old="x", new="y"))
    every = [change(op, WEB) for op in Op]
    busy = replace(cluster("a", full, hidden, *every), first_contact=True, warnings=("w",))
    for plan in (plan_of(), example(), plan_of(busy, cluster("prod-1", failed=GONE), partial=True)):
        verdict = plan_verdict(plan, detailed=True)
        yield plan_data(plan, verdict, unchanged=True)
        yield plan_data(plan, verdict, kind="Drift")
        yield diff_data(plan, verdict)
    results = tuple(
        ObjectResult(op=op, app="web", ref=WEB, outcome=outcome, problem=PROBLEM)
        for op in Op
        for outcome in Outcome
    )
    done = ClusterReport(
        cluster="a",
        environment="dev",
        exit_code=ExitCode.TIMEOUT,
        results=(*results, replace(results[0], problem=None)),
        health=tuple(AppHealth(app="web", status=status, message="m") for status in HealthStatus),
        failure=GONE,
        seconds=1.5,
        warnings=("w",),
    )
    report = Report(plan_id="1", fleet="shop", revision="", clusters=(done,), partial=True)
    yield report_data(report, report_verdict(report))
    target = TargetStatus(
        app="web",
        cluster="a",
        environment="dev",
        sync=SyncStatus.OUT_OF_SYNC,
        health=Health(status=HealthStatus.DEGRADED, message="m"),
        objects=(ObjectHealth(ref=WEB, health=Health(status=HealthStatus.MISSING)),),
    )
    applied = replace(target, revision="3f2a", applied_at=TIME, actor="me", pending=2)
    states = (
        ClusterState(cluster="a", environment="dev", version="v1.34", targets=(target, applied)),
        ClusterState(cluster="b", environment="dev", version=None, failure=GONE),
    )
    status = FleetStatus(fleet="shop", revision="3f2a", clusters=states)
    yield status_data(status, status_verdict(status))
    check = DoctorCheck(name="x", result=CheckResult.FAILED, message="m", cluster="a", hint="h")
    diagnosis = Diagnosis(checks=(check, replace(check, cluster=None, hint=None, result=CheckResult.OK)))
    yield diagnosis_data(diagnosis, diagnosis_verdict(diagnosis))
    size = FleetSize(fleet="shop", environments=1, clusters=2, apps=3, targets=6)
    yield validation_data(Validation(file="fleet.yaml", size=size, warnings=(PROBLEM,)))
    yield validation_data(Validation(file="fleet.yaml", problems=(PROBLEM, Problem(message="m"))))
    values = (
        ExplainedValue(key="a", value={"b": [1]}, layer="built-in"),
        ExplainedValue(key="c", value=None, layer="app web", where=WHERE),
    )
    yield explanation_data("web", "a", values)
    yield error_data(FleetError("broken"))
    yield error_data(InvalidInput((PROBLEM, PROBLEM)))
    for event in (
        ClusterStarted(cluster="a", phase="preview"),
        ObjectChanged(cluster="a", app="web", op=Op.MOVE, ref=WEB),
        ObjectFailed(cluster="a", app="web", ref=WEB, problem=PROBLEM),
        Waiting(cluster="a", app="web", ready=1, total=2, message="m"),
        ClusterFinished(cluster="a", phase="apply", exit_code=ExitCode.OK, summary=""),
    ):
        yield event_data(event, time=TIME)


def test_every_report_meets_its_schema() -> None:
    for document in samples():
        assert problems_of(json.loads(json.dumps(document))) == [], document["kind"]


def maps_of(node: object) -> Iterator[dict[str, Any]]:
    """Every object inside of a document whose keys are fixed."""
    if isinstance(node, dict):
        inner = cast("dict[str, Any]", node)
        yield inner
        for key, value in inner.items():
            if key not in ("old", "new", "value", "libraries"):
                yield from maps_of(value)
    elif isinstance(node, list):
        for item in cast("list[object]", node):
            yield from maps_of(item)


def test_a_field_that_nobody_declared_is_noticed_anywhere() -> None:
    for sample in samples():
        document = json.loads(json.dumps(sample))
        for number, _ in enumerate(maps_of(document)):
            changed = copy.deepcopy(document)
            list(maps_of(changed))[number]["surprise"] = 1
            assert problems_of(changed), (document["kind"], number)


def test_a_field_that_vanishes_is_noticed() -> None:
    for sample in samples():
        document = cast("dict[str, Any]", json.loads(json.dumps(sample)))
        required = {"apiVersion", "kind", "exitCode", "summary", "clusters", "cluster", "changes"}
        for key in required & set(document):
            if document["kind"] == "Validation":
                continue
            assert problems_of({"kind": document["kind"], **_without(document, key)}), key


def _without(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    kept = {k: v for k, v in document.items() if k != key}
    return {**kept, "kind": "Plan?"} if key == "kind" else kept


def test_every_kind_that_the_code_prints_has_a_schema() -> None:
    """A document of ours is written as ``"apiVersion": API_VERSION, "kind": "..."``."""
    written = re.compile(r'"apiVersion": API_VERSION,\s*"kind": "(\w+)"')
    modules = (ROOT / "fleetmgr").rglob("*.py")
    printed = {kind for path in modules for kind in written.findall(path.read_text())}
    assert printed <= set(OUTPUT_KINDS.values())
    assert {"Plan", "Drift"} <= set(OUTPUT_KINDS.values())


@pytest.mark.parametrize("name", list(OUTPUT_KINDS))
def test_the_published_file_is_the_schema(name: str) -> None:
    path = ROOT / "docs" / "reference" / "schemas" / f"{name}.v1.json"
    assert json.loads(path.read_text()) == output_schema(name)


def test_no_file_is_left_over() -> None:
    found = {path.name for path in (ROOT / "docs" / "reference" / "schemas").iterdir()}
    assert found == {f"{name}.v1.json" for name in OUTPUT_KINDS}
