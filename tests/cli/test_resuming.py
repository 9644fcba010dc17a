"""What the first signal says of how to go on."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.main import goes_on
from fleetmgr.cli.resuming import instead_of_plan_file, resume_command, resumed_with, same_command
from fleetmgr.model.change import Plan
from fleetmgr.model.event import EventSink
from fleetmgr.model.lease import Holder
from fleetmgr.model.pace import Pace
from fleetmgr.model.selection import Selection
from fleetmgr.operations import plan as plan_operation
from fleetmgr.operations.embedded.lease import LockRequest
from fleetmgr.operations.walk import Walk
from fleetmgr.wiring.machine import LinuxProcesses
from tests.cli.conftest import Cli, Fleet, Opened
from tests.operations.fleet_in_memory import FleetInMemory


def walk(folder: Path, *command: str) -> Walk:
    holder = Holder(actor="a", host="h", pid=1, command=shlex.join(command), process="p")
    made = FleetInMemory(folder, {"dev": ["dev-1"]}).walk()
    return replace(made, lock=LockRequest(holder=holder, processes=LinuxProcesses()))


def test_the_command_itselfgoes_on_quoted_while_clusters_are_changed(tmp_path: Path) -> None:
    command = same_command(walk(tmp_path, "fleet", "apply", "-l", "tier in (a, b)", "--yes"))
    assert goes_on() == b""
    with resumed_with(command):
        assert goes_on() == b"to go on: fleet apply -l 'tier in (a, b)' --yes\n"
    assert resume_command() == ""


def test_a_saved_plangoes_on_as_an_apply_of_its_selection(tmp_path: Path) -> None:
    made = replace(walk(tmp_path, "fleet", "apply", "plan.json", "--yes"), force=True)
    selected = Selection(environments=("dev",), selectors=("a in (b)",))
    told = instead_of_plan_file(Invocation(), made, selected)
    assert told == "fleet apply -f fleet.yaml -e dev -l 'a in (b)' --force"


def test_a_rollout_is_resumed_with_what_its_apply_was_allowed(
    cli: Cli, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Opened] = []

    def planned(walk: Opened, selection: Selection, sink: EventSink) -> Plan:
        seen.append(walk)
        return fleet.make_plan(walk, selection, sink)

    def found(walk: Opened, rollout: str | None) -> SimpleNamespace:
        assert walk.adopt
        return SimpleNamespace(id=rollout, selection=Selection())

    monkeypatch.setattr("fleetmgr.cli.rollout.resumable", found)
    monkeypatch.setattr(plan_operation, "plan", planned)
    assert cli("rollout", "resume", "r-1", "--yes", "--adopt", "--force").code == 0
    (walk,) = seen
    assert (walk.adopt, walk.force, walk.pace) == (True, True, Pace(resume="r-1"))
    assert len(fleet.applied) == 1
