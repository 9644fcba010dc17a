"""A renamed fleet takes over what it held: nothing restarts, nothing is lost at a crash, running again converges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetmgr.engine.renaming import relabelled, renamed_entries
from fleetmgr.errors import UsageError
from fleetmgr.model.change import Op
from fleetmgr.model.fleet_adoption import FleetAdoption
from fleetmgr.model.selection import Selection
from fleetmgr.operations.adopt_fleet import adopt_fleet, look
from fleetmgr.operations.history import history
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.outcome import settle
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ClusterError, Unreachable
from fleetmgr.reporting.fleet_adoption import fleet_adoption_data, fleet_adoption_text
from tests.operations.fleet_in_memory import FleetInMemory
from tests.operations.worlds import config
from tests.reporting.schemas import problems_of

NOW = "2026-11-21T01:00:00Z"


@pytest.fixture
def fleet(tmp_path: Path) -> FleetInMemory:
    """Applied as ``shop``, and then renamed to ``store``."""
    made = FleetInMemory(tmp_path, {"dev": ["dev-1", "dev-2"]})
    made.apply()
    made.more = {"name": "store"}
    return made


def adopt(fleet: FleetInMemory, **selection: Any) -> FleetAdoption:
    walk = fleet.walk()
    return adopt_fleet(walk, look(walk, "shop", Selection(**selection)), fleet.events.append)


def changes(fleet: FleetInMemory, cluster: str = "dev-1") -> list[str]:
    (part,) = [p for p in fleet.plan().clusters if p.cluster == cluster]
    return [f"{c.op.value} {c.ref.kind}" for c in part.changes if c.op is not Op.KEEP]


def uids(fleet: FleetInMemory, cluster: str = "dev-1") -> list[Any]:
    found = [
        fleet.clusters[cluster].body(kind, "shop", name)
        for kind, name in (("Deployment", "web"), ("ConfigMap", "settings"))
    ]
    return [(b["metadata"]["uid"], b.get("spec"), b.get("data")) if b else None for b in found]


def of_the_old_name(fleet: FleetInMemory, cluster: str = "dev-1") -> list[str]:
    """Whatever still says ``shop`` as a fleet."""
    client = fleet.clusters[cluster]
    found: list[str] = []
    for body in client.everything():
        metadata = body["metadata"]
        marks = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
        managers = {entry["manager"] for entry in metadata.get("managedFields", [])}
        if marks.get("fleetmgr.dev/fleet") == "shop" or "fleetmgr:shop" in managers:
            found.append(f"{body['kind']}/{metadata['name']}")
    return [name for name in found if name != "Namespace/fleetmgr-system"]


def test_a_renamed_fleet_is_in_conflict_until_it_takes_over(fleet: FleetInMemory) -> None:
    assert set(changes(fleet)) == {"conflict ConfigMap", "conflict Deployment"}
    before = uids(fleet)
    found = adopt(fleet)
    assert all(cluster.done for cluster in found.clusters)
    assert changes(fleet) == []
    assert uids(fleet) == before
    assert of_the_old_name(fleet) == []
    assert history(fleet.walk(), "web", Selection()).clusters[0].apps[0].runs, "the memory comes along"
    text = fleet_adoption_text(found)
    assert "Fleet shop becomes store: 2 clusters" in text
    assert "1 ConfigMap, 1 Deployment" in text
    assert not problems_of(fleet_adoption_data(found, settle({})))


def test_what_git_drops_afterwards_is_pruned_under_the_new_name(fleet: FleetInMemory) -> None:
    adopt(fleet)
    (fleet.root / "apps" / "web" / "all.yaml").write_text(config(image="web:1"))
    fleet.apply()
    deployment, settings = uids(fleet)
    assert deployment is None
    assert settings is not None


def test_looking_writes_nothing_and_running_again_finds_nothing(fleet: FleetInMemory) -> None:
    fleet.written()
    look(fleet.walk(), "shop", Selection())
    assert not any(fleet.written().values())
    adopt(fleet)
    again = look(fleet.walk(), "shop", Selection()).found
    assert not again.pending
    assert "nothing here is of fleet shop (any more)" in fleet_adoption_text(again)


def killed_at(fleet: FleetInMemory, most: int) -> list[str]:
    """Adopt dev-1 and lose the cluster before write number ``most``."""
    sent: list[str] = []

    def fault(verb: str, resource: ApiResource | None) -> ClusterError | None:
        if verb in ("patch", "delete") and resource is not None and resource.kind != "Lease":
            if len(sent) >= most:
                return Unreachable("killed", cluster="dev-1")
            sent.append(f"{verb} {resource.kind}")
        return None

    fleet.clusters["dev-1"].fault = fault
    adopt(fleet, clusters=("dev-1",))
    fleet.clusters["dev-1"].fault = None
    return sent


@pytest.mark.parametrize("moment", range(14))
def test_killed_at_any_write_nothing_is_made_anew(fleet: FleetInMemory, moment: int) -> None:
    before = uids(fleet)
    sent = killed_at(fleet, moment)
    assert len(sent) <= moment
    found = adopt(fleet, clusters=("dev-1",))
    assert found.clusters[0].failure is None
    assert uids(fleet) == before
    assert of_the_old_name(fleet) == []
    assert changes(fleet) == []


def test_a_name_that_a_cluster_does_not_know_is_refused(fleet: FleetInMemory) -> None:
    walk: Walk = fleet.walk()
    found = look(walk, "shopp", Selection()).found
    assert [c.failure.problem.code for c in found.clusters if c.failure] == ["FLT-5040", "FLT-5040"]
    with pytest.raises(UsageError, match="named store already"):
        look(walk, "store", Selection())


def test_what_only_carries_the_label_is_left_alone(fleet: FleetInMemory) -> None:
    client = fleet.clusters["dev-1"]
    live = client.body("ConfigMap", "shop", "settings")
    assert live is not None
    copied = {**live, "metadata": {"name": "copy", "namespace": "shop", "labels": live["metadata"]["labels"]}}
    client.create(copied, manager="some-controller")
    adopt(fleet)
    assert of_the_old_name(fleet) == ["ConfigMap/copy"]


def test_the_patch_and_the_entries_of_one_object() -> None:
    entry: dict[str, Any] = {
        "manager": "fleetmgr:a",
        "operation": "Apply",
        "fieldsV1": {"f:data": {"f:x": {}}},
    }
    mine: dict[str, Any] = {
        "manager": "fleetmgr:b",
        "operation": "Update",
        "fieldsV1": {"f:data": {"f:y": {}}},
    }
    other: dict[str, Any] = {"manager": "kubectl", "operation": "Update", "fieldsV1": {}}
    live: dict[str, Any] = {"metadata": {"managedFields": [other, mine, entry]}}
    renamed = renamed_entries(live, "fleetmgr:a", "fleetmgr:b")
    assert renamed is not None
    assert renamed[0]["manager"] == "fleetmgr:b"
    assert renamed[0]["fieldsV1"] == {"f:data": {"f:x": {}, "f:y": {}}}
    assert renamed[1:] == [other]
    assert renamed_entries({"metadata": {"managedFields": [mine, other]}}, "fleetmgr:a", "fleetmgr:b") is None
    assert relabelled(live, "a", "b", "dev-1", {}) == []
