"""fleet status APP at the command line."""

from __future__ import annotations

import json

import pytest

from fleetmgr.cli import status as command
from fleetmgr.errors import ExitCode
from fleetmgr.model.app_status import AppStatus
from fleetmgr.model.event import EventSink
from fleetmgr.model.report import ClusterState, FleetStatus
from fleetmgr.model.selection import Selection
from tests.cli.conftest import Cli, Fleet
from tests.reporting.fleets import failure

GONE = failure("no answer", ExitCode.PARTIAL)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, fleet: Fleet) -> list[tuple[str, Selection]]:
    calls: list[tuple[str, Selection]] = []

    def see(walk: str, app: str, selection: Selection, sink: EventSink) -> AppStatus:
        assert (walk, sink) != ("", None)
        calls.append((app, selection))
        clusters = (ClusterState(cluster="a", environment="dev", version=None, failure=GONE),)
        status = FleetStatus(fleet="shop", revision="", clusters=clusters)
        return AppStatus(app=app, status=status, insides=())

    assert not fleet.selections
    monkeypatch.setattr(command, "status_app", see)
    return calls


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_one_app_is_asked_for_and_the_exit_code_is_that_of_status(
    cli: Cli, asked: list[tuple[str, Selection]], form: str
) -> None:
    result = cli("status", "web", "-e", "dev", "-o", form)
    assert asked == [("web", Selection(environments=("dev",)))]
    assert result.code == 4
    assert "no answer" in result.out
    if form == "json":
        assert json.loads(result.out)["kind"] == "AppStatus"


def test_two_ways_to_name_the_app_are_one_too_many(cli: Cli, asked: list[tuple[str, Selection]]) -> None:
    result = cli("status", "web", "-a", "api")
    assert (result.code, asked) == (64, [])
    assert "both name an app" in result.err
