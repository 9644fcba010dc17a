"""A fleet that changes its name takes over what it held, on a real control plane: nothing restarts, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_engine_traps import CONFIG

pytestmark = pytest.mark.e2e

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: $NS}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: $NS}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """Applied under its first name."""
    made = fleets()
    made.save()
    made.manifests(config=CONFIG, web=WEB)
    made.commit()
    made.apply()
    return made


def rename(fleet: Fleet) -> str:
    """Change the name in fleet.yaml; the old one."""
    old, fleet_yaml = fleet.name, fleet.root / "fleet.yaml"
    fleet_yaml.write_text(fleet_yaml.read_text().replace(f"name: {old}\n", f"name: {old}new\n", 1))
    fleet.commit()
    return old


def running(fleet: Fleet) -> dict[str, Any]:
    """What a restart would change: uids, specs, pods, and the generations of what owns them. The generation of a
    Deployment counts its annotations as well, so it says nothing here."""
    found = fleet.everything("deployment,replicaset,configmap,service,pod")
    return {
        name: (
            o["metadata"]["uid"],
            None if o["kind"] == "Deployment" else o["metadata"].get("generation"),
            o.get("spec"),
            o.get("data"),
        )
        for name, o in found.items()
    }


def test_a_renamed_fleet_goes_on_where_it_was(fleet: Fleet) -> None:
    before = running(fleet)
    old = rename(fleet)
    try:
        assert {op for op, _ in fleet.plan(code=1).ops()} == {"conflict"}
        refused = fleet.run("adopt", "--from-fleet", old)
        assert refused.code == 64
        assert running(fleet) == before
        done = fleet.run("adopt", "--from-fleet", old, "--yes", "-o", "json")
        assert done.code == 0, done.text
        assert done.data["clusters"][0]["done"] is True
        assert running(fleet) == before
        fleet.assert_settled()
        managers = {
            entry["manager"]
            for o in fleet.everything("deployment,configmap,service").values()
            if o["metadata"]["name"] in ("web", "settings")
            for entry in fleet.get(o["kind"], o["metadata"]["name"])["metadata"]["managedFields"]
        }
        assert f"fleetmgr:{old}new" in managers
        assert f"fleetmgr:{old}" not in managers
        assert len(fleet.run("history", "-o", "json").data["runs"]) == 1
        again = fleet.run("adopt", "--from-fleet", old)
        assert again.code == 0
        assert "nothing here is of fleet" in again.out
        fleet.manifests(config=CONFIG, web=WEB.split("---", maxsplit=1)[0])
        fleet.apply()
        assert not fleet.get("service", "web")
        assert fleet.get("deployment", "web")["metadata"]["uid"] == before["Deployment/web"][0]
    finally:
        labels = f"fleetmgr.dev/fleet={old}new"
        fleet.sandbox.try_kubectl(
            fleet.sandbox.contexts[0],
            *("-n", "fleetmgr-system", "delete", "configmaps,leases,secrets", "--wait=false", "-l", labels),
        )


def test_two_fleets_on_one_api_server_conflict_and_a_wrong_name_is_refused(fleet: Fleet) -> None:
    old = rename(fleet)
    before = running(fleet)
    assert "FLT-5040" in fleet.run("adopt", "--from-fleet", f"{old}typo", "--yes").text
    assert running(fleet) == before
    answer = fleet.run("apply", "--yes", "-o", "json")
    assert answer.code in (1, 4)
    assert running(fleet) == before
