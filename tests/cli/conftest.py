"""Runs command lines against operations that are made by hand: no fleet.yaml, no cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from fleetmgr.cli.main import run
from fleetmgr.errors import ExitCode
from fleetmgr.model.change import ClusterPlan, Plan
from fleetmgr.model.event import ClusterFinished, ClusterStarted, EventSink
from fleetmgr.model.report import ClusterReport, Diagnosis, FleetStatus, Report
from fleetmgr.model.selection import Selection
from fleetmgr.operations import apply as apply_operation
from fleetmgr.operations import doctor as doctor_operation
from fleetmgr.operations import drift as drift_operation
from fleetmgr.operations import plan as plan_operation
from fleetmgr.operations import status as status_operation
from fleetmgr.wiring import walk as wired
from tests.reporting.fleets import plan_of
from tests.reporting.schemas import hold_to_schemas


@dataclass
class Result:
    """How a run ended and what it wrote."""

    code: int
    out: str
    err: str


class Tty(StringIO):
    """Standard input of somebody at a terminal."""

    def isatty(self) -> bool:
        return True


class Opened(Struct, frozen=True):
    """A walk as far as the command line itself touches it."""

    lock: None = None
    adopt: object = None
    force: object = None
    verify: object = None
    consent: object = None
    pace: object = None
    dirty_reason: str = ""


@dataclass
class Fleet:
    """What the operations are to answer, and what they were asked."""

    plan: Plan = field(default_factory=plan_of)
    status: FleetStatus = field(default_factory=lambda: FleetStatus(fleet="shop", revision="", clusters=()))
    diagnosis: Diagnosis = field(default_factory=lambda: Diagnosis(checks=()))
    error: BaseException | None = None
    report: Callable[[ClusterPlan], ClusterReport] | None = None
    opened: list[tuple[Path, int]] = field(default_factory=list[tuple[Path, int]])
    engines: list[str | None] = field(default_factory=list[str | None])
    selections: list[Selection] = field(default_factory=list[Selection])
    applied: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    def open_walk(self, file: Path, *, parallel: int, engine: str | None) -> Opened:
        self.engines.append(engine)
        self.opened.append((file, parallel))
        if self.error is not None:
            raise self.error
        return Opened()

    def make_plan(self, walk: Opened, selection: Selection, sink: EventSink) -> Plan:
        assert isinstance(walk, Opened)
        self.selections.append(selection)
        for cluster in self.plan.clusters:
            sink(ClusterStarted(cluster=cluster.cluster, phase="preview"))
        return self.plan

    def apply(
        self,
        walk: Opened,
        plan: Plan,
        selection: Selection,
        sink: EventSink,
        *,
        wait: bool,
        timeout: float | None,
    ) -> Report:
        assert isinstance(walk, Opened)
        self.applied.append({"plan": plan.id, "wait": wait, "timeout": timeout, "selection": selection})
        reports = tuple(
            self.report(c)
            if self.report
            else ClusterReport(cluster=c.cluster, environment=c.environment, exit_code=ExitCode.OK)
            for c in plan.clusters
            if c.failure is None
        )
        for report in reports:
            sink(
                ClusterFinished(
                    cluster=report.cluster, phase="apply", exit_code=report.exit_code, summary="1 created"
                )
            )
        return Report(plan_id=plan.id, fleet=plan.fleet, revision=plan.revision, clusters=reports)

    def see(self, walk: Opened, selection: Selection, sink: EventSink) -> FleetStatus:
        assert (walk, sink) != ("", None)
        self.selections.append(selection)
        return self.status

    def examine(self, walk: Opened, selection: Selection) -> Diagnosis:
        assert walk
        self.selections.append(selection)
        return self.diagnosis


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    fake = Fleet()
    monkeypatch.setattr(wired, "open_walk", fake.open_walk)
    monkeypatch.setattr(plan_operation, "plan", fake.make_plan)
    monkeypatch.setattr(drift_operation, "drift", fake.make_plan)
    monkeypatch.setattr(apply_operation, "apply", fake.apply)
    monkeypatch.setattr(status_operation, "status", fake.see)
    monkeypatch.setattr(doctor_operation, "doctor", fake.examine)
    return fake


class Cli:
    """Runs one command line; JSON that it prints is held to its schema."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
    ) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.home = home

    def __call__(self, *args: str, stdin: str | None = None, **environment: str) -> Result:
        """``stdin`` given: somebody sits at a terminal and types it."""
        if stdin is not None:
            self._monkeypatch.setattr("sys.stdin", Tty(stdin))
            self._monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        settings = {"HOME": str(self.home), "TERM": "dumb", **environment}
        code = run(args, environment=settings)
        captured = self._capsys.readouterr()
        hold_to_schemas(captured.out)
        return Result(code, captured.out, captured.err)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setattr("sys.stdin", StringIO(""))
    monkeypatch.chdir(tmp_path)
    return Cli(capsys, monkeypatch, tmp_path / "home")
