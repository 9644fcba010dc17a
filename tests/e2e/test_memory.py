"""What real clusters remember: results, failed ones too, since when all is well, and when drift was first seen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_engine_traps import CONFIG

pytestmark = pytest.mark.e2e

DENIED = """
apiVersion: v1
kind: Service
metadata: {name: bad, namespace: $NS}
spec: {selector: {app: web}, ports: [{port: 0}]}
"""


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """Two clusters, app ``web`` with one ConfigMap, applied once."""
    made = fleets(2)
    made.save()
    made.manifests(config=CONFIG)
    made.commit()
    made.apply()
    return made


def runs(fleet: Fleet, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    answer = fleet.run("history", "-o", "json", *arguments)
    assert answer.code == code, answer.text
    return answer.data["runs"]


def outcomes(fleet: Fleet, *arguments: str) -> list[str]:
    return [run["outcome"] for run in runs(fleet, *arguments)]


def test_history_merges_clusters_and_tells_failures(fleet: Fleet) -> None:
    (first,) = runs(fleet)
    assert [c["name"] for c in first["clusters"]] == ["one", "two"]
    assert first["revision"] == fleet.git("rev-parse", "HEAD").strip()
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'), service=DENIED)
    fleet.commit()
    fleet.apply("-c", "one", code=1)
    assert len(runs(fleet)) >= 1
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
    fleet.commit()
    fleet.apply("-c", "one")
    newest = runs(fleet, "web@one")[0]
    assert (newest["outcome"], newest["counts"]["update"]) == ("done", 1)
    assert outcomes(fleet, "-c", "two") == ["done"]
    text = fleet.run("history", "web").out
    assert "same on 2 clusters: one, two" in text
    assert "| " in fleet.run("history", "web", "-o", "markdown").out
    status = fleet.run("status", "web", "-o", "json")
    (one, _) = status.data["clusters"]
    assert one["results"][0]["planId"] == newest["planId"]
    assert one["apps"][0]["healthySince"] >= newest["at"]


def test_a_run_that_wrote_and_failed_is_remembered_with_its_reason(fleet: Fleet) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": fleet.ns},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "nodeSelector": {"there-is": "no-such-node"},
                    "containers": [{"name": "main", "image": "nginx:1.27"}],
                },
            },
        },
    }
    fleet.manifests(config=CONFIG, web=json.dumps(deployment))
    fleet.commit()
    fleet.apply("-c", "one", "--timeout", "3s", code=9)
    newest = runs(fleet, "web@one")[0]
    assert newest["outcome"] == "unhealthy"
    assert newest["reason"]
    memory = fleet.run("history", "web@one", "-o", "json").data["clusters"][0]["apps"][0]
    assert memory["healthySince"] is None
    assert memory["revision"] != newest["revision"], "the last good one"


def test_an_unreachable_cluster_is_said(fleet: Fleet) -> None:
    kubeconfig = fleet.root.parent / "dead.yaml"
    cluster = {"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [cluster],
                "contexts": [context],
                "users": [{"name": "x", "user": {"token": "t"}}],
            }
        )
    )
    fleet.entries[1] = {**fleet.entries[1], "access": {"kubeconfig": str(kubeconfig), "context": "x"}}
    fleet.save()
    answer = fleet.run("history", "-o", "json")
    assert answer.code == 4
    assert [c["exitCode"] for c in answer.data["clusters"]] == [0, 4]
    assert len(answer.data["runs"]) == 1
    assert "two: unreachable" in fleet.run("history").out


def test_the_last_ten_results_are_kept(fleet: Fleet) -> None:
    for number in range(11):
        fleet.manifests(config=CONFIG.replace('"1"', f'"{number + 2}"'))
        fleet.apply("-c", "one")
    assert len(outcomes(fleet, "web@one")) == 10


def test_drift_is_remembered_only_when_asked(fleet: Fleet) -> None:
    fleet.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data": {"a": "9"}}')
    before = parent(fleet)["metadata"]["resourceVersion"]
    (change,) = fleet.run("drift", "-o", "json").changes("one")
    assert change["driftBy"]["manager"] == "kubectl-patch"
    assert change["driftSince"] == change["driftBy"]["at"]
    assert parent(fleet)["metadata"]["resourceVersion"] == before
    time.sleep(1.1)  # noqa: TID251 - stamps have whole seconds: written in one, seen in another
    assert fleet.run("drift", "--remember").code == 0
    first = drift_since(fleet)
    assert first is not None
    assert first > change["driftSince"], "seen when it was looked for, written before"
    assert fleet.run("drift", "--remember").code == 0
    assert drift_since(fleet) == first
    assert f"first seen {first}" in fleet.run("drift").out
    fleet.apps = [fleet.app("web", sync={"onConflict": "fail"})]
    fleet.save()
    (held,) = fleet.run("drift", "-o", "json").changes("one")
    assert (held["op"], held["driftBy"], held["driftSince"]) == ("conflict", change["driftBy"], first)
    fleet.apply("--force")
    assert json.loads(parent(fleet)["data"]["record.json"])["drifted"] == {}
    fleet.assert_settled()


def test_a_reader_is_told_that_it_may_not_remember(fleet: Fleet) -> None:
    fleet.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data": {"a": "9"}}')
    for index, entry in enumerate(fleet.entries):
        access = {**entry["access"], "context": f"{fleet.sandbox.contexts[index]}-reader"}
        fleet.entries[index] = {**entry, "access": access}
    fleet.save()
    assert fleet.run("drift").code == 0
    assert fleet.run("drift", "--remember").code == 3


def parent(fleet: Fleet) -> dict[str, Any]:
    return fleet.get("configmap", f"{fleet.name}.one.web", namespace="fleetmgr-system")


def drift_since(fleet: Fleet) -> str | None:
    (change,) = fleet.run("drift", "-o", "json").changes("one")
    return change.get("driftSince")
