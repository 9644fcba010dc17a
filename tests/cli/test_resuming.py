"""What the first signal says of how to go on."""

from __future__ import annotations

import shlex
from pathlib import Path

from msgspec.structs import replace

from fleetmgr.cli.invocation import Invocation
from fleetmgr.cli.main import goes_on
from fleetmgr.cli.resuming import instead_of_plan_file, resume_command, resumed_with, same_command
from fleetmgr.model.lease import Holder
from fleetmgr.model.selection import Selection
from fleetmgr.operations.embedded.lease import LockRequest
from fleetmgr.operations.walk import Walk
from fleetmgr.wiring.machine import LinuxProcesses
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
