"""Drift on a cluster in memory: also what an apply could not heal, since when, and by whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.model.change import Change, Op, Writer
from fleetmgr.model.selection import Selection
from fleetmgr.operations.drift import drift, remember
from fleetmgr.ports.cluster_errors import ObjectInvalid
from tests.operations.fleet_in_memory import FleetInMemory

FAIL = {"defaults": {"timeout": "60s", "sync": {"prune": True, "onConflict": "fail"}}}
SETTINGS = ("ConfigMap", "shop", "settings")


def applied(root: Path, **more: object) -> FleetInMemory:
    fleet = FleetInMemory(root, {"dev": ["dev-1"]}, **more)
    fleet.apply()
    return fleet


def edit(fleet: FleetInMemory, value: str = "x", manager: str = "kubectl-edit") -> None:
    fleet.clusters["dev-1"].edit(*SETTINGS, {"data": {"image": value}}, manager=manager)


def drifted(fleet: FleetInMemory) -> list[Change]:
    return list(drift(fleet.walk(), Selection(), fleet.events.append).clusters[0].changes)


def test_who_wrote_it_and_when_is_known_from_the_server(tmp_path: Path) -> None:
    fleet = applied(tmp_path)
    edit(fleet)
    (change,) = drifted(fleet)
    assert change.drift_by is not None
    assert change.drift_by == Writer(manager="kubectl-edit", at=change.drift_by.at)
    assert change.drift_since == change.drift_by.at != ""


def test_what_was_seen_first_is_remembered_over_what_was_written_last(tmp_path: Path) -> None:
    fleet = applied(tmp_path)
    edit(fleet)
    walk = fleet.walk()
    remember(walk, drift(walk, Selection(), fleet.events.append))
    first = drifted(fleet)[0].drift_since
    fleet.clock.sleep(600)
    edit(fleet, "y")
    (change,) = drifted(fleet)
    assert change.drift_since == first
    assert change.drift_by is not None


def test_a_field_that_others_hold_has_drifted_though_no_apply_heals_it(tmp_path: Path) -> None:
    fleet = applied(tmp_path, **FAIL)
    edit(fleet)
    (change,) = drifted(fleet)
    assert change.op is Op.CONFLICT
    assert [(d.path, d.old, d.new) for d in change.diff] == [("/data/image", "x", "web:1")]
    assert change.drift_by is not None
    assert change.drift_by.manager == "kubectl-edit"
    walk = fleet.walk()
    assert not remember(walk, drift(walk, Selection(), fleet.events.append))
    assert drifted(fleet)[0].drift_since is not None


def test_an_object_that_somebody_made_in_place_of_ours_has_drifted(tmp_path: Path) -> None:
    fleet = applied(tmp_path)
    cluster = fleet.clusters["dev-1"]
    cluster.remove(*SETTINGS)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}}
    cluster.create(body, manager="kubectl-create")
    (change,) = drifted(fleet)
    assert change.op is Op.CONFLICT


def test_an_object_that_is_being_deleted_has_drifted(tmp_path: Path) -> None:
    fleet = applied(tmp_path)
    leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/held"]}
    fleet.clusters["dev-1"].edit(*SETTINGS, {"metadata": leaving})
    (change,) = drifted(fleet)
    assert change.op is Op.DENIED
    assert "is being deleted" in (change.reason or "")


def test_a_drift_that_the_server_refuses_to_heal_has_drifted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = applied(tmp_path)
    edit(fleet)
    cluster = fleet.clusters["dev-1"]

    def refused(*_: object, **__: object) -> None:
        raise ObjectInvalid("frozen until Monday", cluster="dev-1", status=422, reason="Invalid")

    monkeypatch.setattr(cluster, "apply", refused)
    (change,) = drifted(fleet)
    assert change.op is Op.DENIED
    assert change.drift_by is not None


def test_a_change_in_git_is_no_drift(tmp_path: Path) -> None:
    fleet = applied(tmp_path, **FAIL)
    edit(fleet)
    fleet.image("web:2")
    assert drifted(fleet) == []
