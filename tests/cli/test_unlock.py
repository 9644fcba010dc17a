"""``fleet unlock`` on a terminal and without one."""

from __future__ import annotations

import json

import pytest

from fleetmgr.model.lease import Holder, Lease
from fleetmgr.operations import unlock as operation
from fleetmgr.operations.embedded.entry import Entry
from fleetmgr.wiring import walk as wired
from tests.cli.conftest import Cli, Opened
from tests.fakes.cluster import FakeCluster

HOLDER = Holder(actor="ci@runner-7", host="runner-7", pid=88, command="fleet apply", process="x")
LEASE = Lease(
    name="shop.dev-1",
    version="3",
    identity="ci_1",
    holder=HOLDER,
    plan_id="5ab69daebfb9ffff",
    since="2026-11-21T04:30:12.120391Z",
    renewed="2026-11-21T04:30:20.134552Z",
)


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Reasons of leases that were released."""
    done: list[str] = []
    entry = Entry(fleet="shop", cluster="dev-1", environment="dev")

    def open_walk(file: object, *, parallel: int, engine: str | None) -> object:
        del file, parallel, engine
        return Opened()

    def look(walk: object, cluster: str) -> operation.Held:
        del walk
        lease = LEASE if cluster == "dev-1" else None
        return operation.Held(entry=entry, client=FakeCluster(), lease=lease)

    def unlock(walk: object, held: operation.Held, *, reason: str) -> None:
        del walk, held
        done.append(reason)

    monkeypatch.setattr(wired, "open_walk", open_walk)
    monkeypatch.setattr(operation, "look", look)
    monkeypatch.setattr(operation, "unlock", unlock)
    return done


def test_it_shows_the_holder_and_asks(cli: Cli, released: list[str]) -> None:
    result = cli("unlock", "dev-1", "--reason", "it died", stdin="y\n")
    assert (result.code, result.out) == (0, "dev-1 is unlocked.\n")
    for part in ("ci@runner-7", "runner-7, pid 88", "fleet apply", "5ab69daebfb9", "04:30:20"):
        assert part in result.err
    assert released == ["it died"]


def test_no_is_no(cli: Cli, released: list[str]) -> None:
    result = cli("unlock", "dev-1", "--reason", "it died", stdin="n\n")
    assert (result.code, result.out) == (1, "dev-1 stays locked.\n")
    assert released == []


def test_without_a_terminal_it_needs_yes(cli: Cli, released: list[str]) -> None:
    result = cli("unlock", "dev-1", "--reason", "it died")
    assert result.code == 64
    assert "FLT-6440" in result.err
    assert "ci@runner-7" in result.err
    assert released == []


def test_as_json(cli: Cli, released: list[str]) -> None:
    result = cli("unlock", "dev-1", "--reason", "it died", "--yes", "-o", "json")
    data = json.loads(result.out)
    assert data["holder"]["pid"] == 88
    assert (data["unlocked"], data["reason"]) == (True, "it died")
    assert released == ["it died"]


def test_what_is_not_locked_is_said_so(cli: Cli, released: list[str]) -> None:
    result = cli("unlock", "other", "--reason", "x")
    assert (result.code, result.out) == (0, "other is not locked.\n")
    data = json.loads(cli("unlock", "other", "--reason", "x", "-o", "json").out)
    assert (data["unlocked"], "holder" in data) == (False, False)
    assert released == []


def test_a_reason_is_required(cli: Cli, released: list[str]) -> None:
    assert cli("unlock", "dev-1", "--yes").code == 64
    assert released == []
