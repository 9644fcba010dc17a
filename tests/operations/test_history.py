"""``fleet history`` and what drift and status take from memory, over a fleet in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.errors import UsageError
from fleetmgr.model.selection import Selection
from fleetmgr.operations.drift import drift, remember
from fleetmgr.operations.history import history
from fleetmgr.operations.status import status
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import settle
from fleetmgr.planner.past import past_runs
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError
from fleetmgr.reporting.drift_text import drift_text
from fleetmgr.reporting.history import history_data, history_markdown, history_text
from tests.operations.fleet_in_memory import FleetInMemory
from tests.reporting.schemas import problems_of


@pytest.fixture
def fleet(tmp_path: Path) -> FleetInMemory:
    return FleetInMemory(tmp_path, {"dev": ["dev-1", "dev-2"]})


def test_the_same_run_on_two_clusters_is_one_line_newest_first(fleet: FleetInMemory) -> None:
    fleet.apply()
    fleet.clock.sleep(60)
    fleet.image("web:2")
    fleet.apply(clusters=("dev-1",))
    found = history(fleet.walk(), "web", Selection())
    runs = past_runs(found)
    assert [[name for name, _ in run.clusters] for run in runs] == [["dev-1"], ["dev-1", "dev-2"]]
    assert runs[0].run.at > runs[1].run.at
    text = history_text(found, runs)
    assert "same on 2 clusters: dev-1, dev-2" in text
    assert "App web of fleet shop: 2 clusters; 2 runs" in text
    assert "tester" in history_markdown(found, runs)
    assert not problems_of(history_data(found, runs, settle({})))


def test_one_target_and_a_dead_cluster(fleet: FleetInMemory) -> None:
    fleet.apply()
    fleet.dead = {"dev-2"}
    found = history(fleet.walk(), None, Selection())
    assert [cluster.failure is None for cluster in found.clusters] == [True, False]
    runs = past_runs(found)
    assert "dev-2: unreachable" in history_text(found, runs)
    assert not problems_of(history_data(found, runs, settle({})))
    assert len(history(fleet.walk(), "web@dev-1", Selection()).clusters) == 1


def test_an_app_that_nobody_knows_is_a_usage_error(fleet: FleetInMemory) -> None:
    fleet.apply()
    with pytest.raises(UsageError, match="no app nope"):
        history(fleet.walk(), "nope", Selection())
    with pytest.raises(UsageError, match="names a cluster itself"):
        history(fleet.walk(), "web@dev-1", Selection(clusters=("dev-2",)))


def test_status_says_since_when_it_is_healthy_with_what_was_applied(fleet: FleetInMemory) -> None:
    fleet.apply()
    fleet.clock.sleep(3600)
    fleet.image("web:2")
    fleet.apply()
    target = status(fleet.walk(), Selection(), fleet.events.append).clusters[0].targets[0]
    assert target.healthy_since == target.results[0].at
    assert [r.outcome for r in target.results] == ["done", "done"]


def test_drift_has_a_beginning_once_somebody_remembers_it(fleet: FleetInMemory) -> None:
    fleet.apply()
    cluster = fleet.clusters["dev-1"]
    cluster.edit("ConfigMap", "shop", "settings", {"data": {"image": "x"}})
    fleet.written()
    walk = fleet.walk()
    found = drift(walk, Selection(), fleet.events.append)
    assert not any(fleet.written().values()), "looking writes nothing"
    (change,) = found.clusters[0].changes
    assert change.drift_by is not None
    assert change.drift_since == change.drift_by.at, "nobody remembers it: when it was written"
    assert not remember(walk, found)
    fleet.clock.sleep(600)
    walk = fleet.walk()
    again = drift(walk, Selection(), fleet.events.append)
    first = again.clusters[0].changes[0].drift_since
    assert first is not None
    assert first != change.drift_since
    assert f"first seen {first}" in drift_text(again, same_changes(again))
    before = cluster.body("ConfigMap", "fleetmgr-system", "shop.dev-1.web")
    assert not remember(walk, again)
    assert cluster.body("ConfigMap", "fleetmgr-system", "shop.dev-1.web") == before, "nothing new to write"
    cluster.edit("ConfigMap", "shop", "settings", {"data": {"image": "web:1"}})
    walk = fleet.walk()
    remember(walk, drift(walk, Selection(), fleet.events.append))
    record = history(fleet.walk(), "web", Selection())
    assert len(record.clusters[0].apps[0].runs) == 1, "remembering drift is no run"
    cluster.edit("ConfigMap", "shop", "settings", {"data": {"image": "y"}})
    anew = drift(fleet.walk(), Selection(), fleet.events.append)
    by = anew.clusters[0].changes[0].drift_by
    assert by is not None
    assert anew.clusters[0].changes[0].drift_since == by.at


def test_who_may_not_write_is_told_so(fleet: FleetInMemory) -> None:
    fleet.apply()
    cluster = fleet.clusters["dev-1"]
    cluster.edit("ConfigMap", "shop", "settings", {"data": {"image": "x"}})
    walk = fleet.walk()
    found = drift(walk, Selection(), fleet.events.append)

    def deny(verb: str, resource: ApiResource | None) -> ClusterError | None:
        del resource
        return AccessDenied("forbidden", cluster="dev-1") if verb == "patch" else None

    cluster.fault = deny
    assert list(remember(walk, found)) == ["dev-1"]


def test_an_apply_in_between_is_not_overwritten(fleet: FleetInMemory) -> None:
    fleet.apply()
    cluster = fleet.clusters["dev-1"]
    cluster.edit("ConfigMap", "shop", "settings", {"data": {"image": "x"}})
    walk = fleet.walk()
    found = drift(walk, Selection(), fleet.events.append)
    fleet.apply()
    remember(walk, found)
    memory = history(fleet.walk(), "web", Selection()).clusters[0].apps[0]
    assert len(memory.runs) == 2
    assert "drifted" not in str(cluster.body("ConfigMap", "fleetmgr-system", "shop.dev-1.web")).replace(
        '"drifted":{}', ""
    )
