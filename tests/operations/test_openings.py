"""``fleet validate`` says where windows leave no time for a change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetmgr.operations.validate import validate
from tests.fakes.clock import FakeClock
from tests.operations.fleet_in_memory import FleetInMemory

OFFICE = {"kind": "allow", "schedule": "0 9 * * 1-5", "duration": "8h"}
WEEKEND = {"kind": "allow", "schedule": "0 9 * * 6", "duration": "8h"}
WORKDAYS = {"kind": "deny", "schedule": "0 0 * * 1-5", "duration": "24h"}
MORNINGS = {"kind": "deny", "schedule": "0 6 * * *", "duration": "6h"}
FREEZE = {"kind": "deny", "schedule": "0 0 * * *", "duration": "24h"}


def warned(
    root: Path,
    *environment: dict[str, Any],
    app: tuple[dict[str, Any], ...] = (),
    prod_1: tuple[dict[str, Any], ...] = (),
) -> list[str]:
    source = {"type": "manifests", "path": "apps/web"}
    web = {"name": "web", "namespace": "shop", "source": source, "windows": list(app)}
    fleet = FleetInMemory(root, {"dev": ["dev-1"], "prod": ["prod-1", "prod-2"]}, apps=[web])
    fleet.environment_more = {"prod": {"windows": list(environment)}}
    if prod_1:
        fleet.more["clusters"] = [
            {"name": "dev-1", "environment": "dev", "access": {"context": "dev-1"}},
            {
                "name": "prod-1",
                "environment": "prod",
                "access": {"context": "prod-1"},
                "windows": list(prod_1),
            },
            {"name": "prod-2", "environment": "prod", "access": {"context": "prod-2"}},
        ]
    found = validate(fleet.save(), at=FakeClock().now())
    assert found.valid
    return [f"{w.code} {w.message} at {w.where}" for w in found.warnings]


@pytest.mark.parametrize("windows", [(OFFICE,), (OFFICE, MORNINGS), (WEEKEND, WORKDAYS), (WORKDAYS,), ()])
def test_windows_that_leave_time_are_no_news(tmp_path: Path, windows: tuple[dict[str, Any], ...]) -> None:
    assert warned(tmp_path, *windows) == []


def test_a_deny_that_covers_what_is_allowed(tmp_path: Path) -> None:
    (told,) = warned(tmp_path, OFFICE, WORKDAYS)
    assert told.startswith("FLT-1115 nothing can be begun on prod-1, prod-2 within a year: environment prod ")
    assert "at fleet.yaml:" in told


def test_a_freeze_is_said_once(tmp_path: Path) -> None:
    assert len(warned(tmp_path, FREEZE, app=(OFFICE,))) == 1


def test_owners_whose_allow_windows_never_meet(tmp_path: Path) -> None:
    (told,) = warned(tmp_path, OFFICE, prod_1=(WEEKEND,))
    assert "begun on prod-1 within a year" in told


def test_an_app_and_its_environment(tmp_path: Path) -> None:
    (told,) = warned(tmp_path, OFFICE, app=(WEEKEND,))
    assert "prod-1, prod-2" in told
