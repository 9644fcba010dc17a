"""``fleet destroy`` on real control planes: everything of the fleet goes in order, nothing else, also over a kill."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_order import DEPLOYMENT, HOOK, JOB, config, named, runs

pytestmark = pytest.mark.e2e

SERVICE = """
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}, ports: [{port: 80}]}
"""
CLAIM = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
HELD = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: held, finalizers: [example.com/held]}
"""


def kept(fleet: Fleet, cluster: int = 0) -> list[str]:
    """Names of what fleetmgr keeps of the fleet, without Leases."""
    names = fleet.sandbox.kubectl(
        fleet.sandbox.contexts[cluster], "-n", "fleetmgr-system", "get", "configmaps,secrets", "-o", "name"
    )
    return [name for name in names.split() if f"/{fleet.name}." in name]


def destroy(fleet: Fleet, *arguments: str, code: int = 0) -> set[tuple[str, str, str]]:
    """``fleet destroy --yes --confirm``; what became of each object."""
    answer = fleet.run("destroy", *arguments, "--yes", "--confirm", fleet.name, "-o", "json")
    assert answer.code == code, answer.text
    assert answer.data["verb"] == "destroy"
    return answer.results()


def test_an_entry_is_destroyed_with_hooks_in_order_and_only_what_is_ours(
    fleets: Callable[..., Fleet],
) -> None:
    fleet = fleets(2)
    team = f"{fleet.ns}-team"
    fleet.namespaces.add(team)
    fleet.apps = [
        fleet.app("base", namespace={"name": team, "labels": {"team": "a"}}),
        fleet.app("web", dependsOn=["base"], placement={"environments": ["dev"]}),
    ]
    fleet.save()
    fleet.manifests("base", a=config("base"), claim=CLAIM)
    fleet.manifests(
        deployment=named(DEPLOYMENT, "web"),
        service=SERVICE,
        bye=named(JOB, "goodbye", HOOK.format("PreDelete")),
        end=named(JOB, "cleanup", HOOK.format("PostDelete")),
    )
    fleet.apply()
    fleet.kubectl("create", "configmap", "theirs", "-n", team)

    refused = fleet.run("destroy", "-c", "one")
    assert (refused.code, "--yes --confirm" in refused.err) == (64, True)
    assert fleet.run("destroy", "--yes", "--confirm", fleet.name).code == 64
    assert fleet.run("destroy", "-c", "one", "-a", "base", "--yes", "--confirm", fleet.name).code == 5
    planned = fleet.run("destroy", "-c", "one", "--dry-run", "-o", "json")
    assert ("orphaned", f"Namespace/{team}") in planned.ops()
    assert ("orphaned", "PersistentVolumeClaim/data") in planned.ops()
    assert fleet.get("deployment", "web")["metadata"].get("deletionTimestamp") is None

    results = destroy(fleet, "-c", "one")
    gone = {name for op, name, outcome in results if (op, outcome) == ("delete", "done")}
    assert gone == {"Deployment/web", "Service/web", "ConfigMap/base"}
    assert (len(runs(fleet, "goodbye")), len(runs(fleet, "cleanup"))) == (1, 1)
    assert fleet.everything("job", "deployment", "service") == {}
    assert fleet.records() == ["base"]

    protected = ("--delete-protected", f"PersistentVolumeClaim/{team}/data")
    destroy(fleet, "-c", "one", *protected, "--delete-protected", f"Namespace/{team}")
    assert fleet.get("configmap", "theirs", namespace=team)["metadata"]["name"] == "theirs"
    assert fleet.get("configmap", "base", cluster=1, namespace=team)["data"], "the other entry is untouched"
    fleet.kubectl("delete", "configmap", "theirs", "-n", team)
    destroy(fleet, "-c", "one", "--delete-protected", f"Namespace/{team}")
    assert kept(fleet) == []
    assert fleet.records(cluster=1) == ["base"]
    plan = fleet.plan("-c", "one")
    assert plan.data["clusters"][0]["firstContact"]
    assert {op for op, _ in plan.ops()} <= {"create", "hook"}
    fleet.apply("-c", "one")
    fleet.assert_settled()


def test_a_killed_destroy_is_finished_by_the_next_and_a_dead_cluster_is_a_result(
    fleets: Callable[..., Fleet],
) -> None:
    fleet = fleets(2)
    fleet.apps = [fleet.app("base"), fleet.app("web", dependsOn=["base"])]
    fleet.save()
    fleet.manifests("base", a=config("base"))
    fleet.manifests(a=HELD, b=named(DEPLOYMENT, "web"), end=named(JOB, "cleanup", HOOK.format("PostDelete")))
    fleet.apply()

    with fleet.start("destroy", "-c", "one", "--yes", "--confirm", fleet.name) as running:
        deadline = time.monotonic() + 60
        while not fleet.get("configmap", "held")["metadata"].get("deletionTimestamp"):
            assert time.monotonic() < deadline
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert fleet.get("configmap", "base"), "what web depends on goes after it"
    assert fleet.records() == ["base", "web"]
    fleet.kubectl("patch", "configmap", "held", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')

    dead = {"server": "https://127.0.0.1:9"}
    kubeconfig = fleet.root.parent / "dead.yaml"
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    users = [{"name": "x", "user": {"token": "t"}}]
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "x", "cluster": dead}],
                "contexts": [context],
                "users": users,
            }
        )
    )
    alive = fleet.entries[1]["access"]
    fleet.entries[1]["access"] = {"kubeconfig": str(kubeconfig), "context": "x"}
    fleet.save()
    destroy(fleet, "--all", code=4)
    assert (kept(fleet), len(runs(fleet, "cleanup"))) == ([], 1)
    assert fleet.everything("configmap", "deployment", "job") == {}

    fleet.entries[1]["access"] = alive
    fleet.save()
    fleet.kubectl(
        *("patch", "configmap", "held", "--type=merge", "-p", '{"metadata": {"finalizers": null}}'), cluster=1
    )
    destroy(fleet, "--all")
    assert kept(fleet, 1) == []
