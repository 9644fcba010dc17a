"""``fleet rollout``: several machines look at, pause and end one rollout."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.model.event import Soaking
from fleetmgr.model.rollout_history import RolloutStatus
from fleetmgr.model.selection import Selection
from fleetmgr.operations.rollouts.remembered import OtherRevision
from fleetmgr.operations.rollouts.verbs import ask, chosen, resumable, rollouts
from fleetmgr.planner.outcome import report_verdict
from fleetmgr.reporting.rollouts import rollout_text, rollouts_text
from tests.operations.fleet_in_memory import FleetInMemory, begun
from tests.operations.test_rollouts import Inline, fleet_of, when


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FleetInMemory:
    monkeypatch.setattr("fleetmgr.operations.apply.ThreadPoolExecutor", Inline)
    made = fleet_of(tmp_path)
    made.commit("one")
    return made


def test_a_pause_from_another_machine_holds_until_it_is_resumed(fleet: FleetInMemory) -> None:
    def pause() -> None:
        fleet.dead = {"prod-6"}
        asked = ask(fleet.walk(), "Pause", None, "lunch")
        assert asked.running
        assert [c.cluster for c in asked.unheard] == ["prod-6"]
        assert asked.clusters == ("dev-1",)  # prod-1 has no namespace of ours before its turn

    when(fleet, lambda e: isinstance(e, Soaking), pause)
    report = fleet.apply()
    fleet.dead = set()
    assert report_verdict(report).exit_code is ExitCode.APPROVAL
    assert begun(report) == ["dev-1", "prod-1"]
    view = chosen(rollouts(fleet.walk(), Selection()), None)
    assert (view.status, view.why) == (RolloutStatus.PAUSED, "paused by tester: lunch")
    assert [(s.environment, s.wave, s.state) for s in view.steps] == [
        ("dev", "", "done"),
        ("prod", "canary", "current"),
        ("prod", "rest", "to come"),
    ]
    assert "pause by tester: lunch" in rollout_text(view, ())
    assert resumable(fleet.walk(), None).id == view.id
    fleet.image("web:9")
    fleet.commit("two")
    with pytest.raises(OtherRevision):
        resumable(fleet.walk(), view.id)


def test_a_rollout_that_nobody_runs_is_ended_at_once(fleet: FleetInMemory) -> None:
    fleet.clock.broken = {"prod-1"}
    fleet.apply()
    asked = ask(fleet.walk(), "Abort", None, "wrong image")
    assert (asked.running, asked.rollout.status) == (False, RolloutStatus.ABORTED)
    with pytest.raises(UsageError, match="is over"):
        ask(fleet.walk(), "Pause", asked.rollout.id, "late")
    with pytest.raises(UsageError, match="no rollout to go on with"):
        resumable(fleet.walk(), None)


def test_unreachable_clusters_are_told_and_the_others_are_listed(fleet: FleetInMemory) -> None:
    fleet.apply()
    fleet.dead = {"prod-2"}
    found = rollouts(fleet.walk(), Selection())
    assert [c.cluster for c in found.unheard] == ["prod-2"]
    text = rollouts_text(found)
    assert "7 of 7 done" in text
    assert "prod-2: unreachable" in text


def test_a_fleet_without_rollouts(fleet: FleetInMemory) -> None:
    found = rollouts(fleet.walk(), Selection())
    assert "no rollouts, as far as is remembered" in rollouts_text(found)
    with pytest.raises(UsageError, match="there was no rollout yet"):
        chosen(found, None)
