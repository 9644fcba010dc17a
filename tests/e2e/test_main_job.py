"""The main job: the demo fleet on three real control planes, each change committed in Git."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import SandboxClusters
from tests.e2e.fleets import Answer, Fleet, identity_of, paths

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
KINDS = "deployment,statefulset,service,ingress,configmap,cronjob,hpa,pdb,networkpolicy"
NAMES = ("dev-1", "staging-1", "prod-1")
INFRASTRUCTURE = {
    "namespaces",
    "crds",
    "rbac",
    "network-policies",
    "cluster-autoscaler",
    "argocd",
    "examples",
}
"""Apps with objects outside their own namespace: one fleet a cluster may have them (test_infrastructure.py)."""


class Demo(Fleet):
    """A copy of the demo fleet, with names and namespaces of its own."""

    NAMES = NAMES

    def __init__(self, root: Path, clusters: SandboxClusters) -> None:
        super().__init__(root, clusters, count=3)
        for folder in ("apps", "environments"):
            shutil.copytree(ROOT / folder, root / folder)
        self.document: dict[str, Any] = yaml.safe_load((ROOT / "fleet.yaml").read_text(encoding="utf-8"))
        self.document["name"] = self.name
        self.namespaces = {f"{self.name}-nginx", self.shop}
        for index, entry in enumerate(self.document["clusters"]):
            entry["access"] = self.entry(index)["access"]
        self.document["apps"] = [a for a in self.document["apps"] if a["name"] not in INFRASTRUCTURE]
        for app in self.document["apps"]:
            app["namespace"] = f"{self.name}-{app['namespace']}"
        self.save()
        self.commit("Start")

    @property
    def shop(self) -> str:
        return f"{self.name}-shop"

    def save(self) -> None:
        self.write("fleet.yaml", yaml.safe_dump(self.document, sort_keys=False))

    def live(self) -> dict[str, Any]:
        """Everything on all clusters: ``cluster/namespace/Kind/name`` -> uid, labels, spec, data."""
        found: dict[str, Any] = {}
        for cluster, context in enumerate(self.sandbox.contexts):
            for namespace in sorted(self.namespaces):
                text = self.sandbox.kubectl(context, "-n", namespace, "get", KINDS, "-o", "json")
                for item in json.loads(text)["items"]:
                    name = f"{NAMES[cluster]}/{item['kind']}/{item['metadata']['name']}"
                    if "kube-root-ca" in name:
                        continue
                    for theirs in ("clusterIP", "clusterIPs"):  # allocated anew for a new Service
                        item.get("spec", {}).pop(theirs, None)
                    if name.endswith("Deployment/web"):  # an autoscaler's
                        item["spec"].pop("replicas")
                    found[name] = identity_of(item)
        return found

    def drift(self) -> Answer:
        return self.run("drift", "-o", "json", "--detailed-exitcode")


@pytest.fixture(scope="module")
def demo(sandbox_clusters: SandboxClusters, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo fleet, applied. Tests leave it settled at the state that they found it in."""
    made = Demo(tmp_path_factory.mktemp("demo") / "shop", sandbox_clusters)
    first = made.plan()
    assert all(c["op"] == "create" for c in first.changes())
    assert first.data["summary"]["changed"] == 3
    applied = made.apply()
    assert {outcome for _, _, outcome in applied.results()} == {"done"}
    assert all(h["status"] == "Healthy" for c in applied.data["clusters"] for h in c["health"])
    made.assert_settled()
    yield made
    made.discard()


@pytest.fixture
def shop(demo: Demo) -> Iterator[Demo]:
    """The demo fleet; what a test commits is reverted and applied afterwards."""
    before = demo.live()
    start = demo.git("rev-parse", "HEAD").strip()
    yield demo
    demo.git("reset", "-q", "--hard", start)
    demo.document = yaml.safe_load((demo.root / "fleet.yaml").read_text(encoding="utf-8"))
    demo.apply()
    demo.assert_settled()
    after = demo.live()
    assert after.keys() == before.keys()
    assert {k: v[1:] for k, v in after.items()} == {k: v[1:] for k, v in before.items()}


def _changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}


def test_an_image_in_one_overlay_is_one_field_on_its_clusters(shop: Demo) -> None:
    before = shop.live()
    shop.write(
        "environments/dev/api.yaml", "images: {registry.shop.example/api: 1.1.0-rc.3}\nreplicas: {api: 1}\n"
    )
    shop.commit("Try api 1.1.0-rc.3 in dev")
    answer = shop.plan()
    assert [c["name"] for c in answer.data["clusters"] if c["changes"]] == ["dev-1"]
    (change,) = answer.changes("dev-1")
    assert (change["op"], change["resource"]) == ("update", f"apps/v1/Deployment/{shop.shop}/api")
    assert change["diff"] == [
        {
            "path": "/spec/template/spec/containers/[name=api]/image",
            "old": "registry.shop.example/api:1.1.0-rc.2",
            "new": "registry.shop.example/api:1.1.0-rc.3",
        }
    ]
    assert shop.plan("--detailed-exitcode", code=2).data["summary"]["update"] == 1
    shop.apply()
    shop.assert_settled()
    assert _changed(before, shop.live()) == {"dev-1/Deployment/api"}
    shop.git("revert", "--no-edit", "HEAD")
    shop.apply()
    assert shop.live() == before


def test_a_removed_app_leaves_where_prune_is_on_and_nothing_else_does(shop: Demo) -> None:
    before = shop.live()
    for context in shop.sandbox.contexts:
        shop.sandbox.kubectl(context, "-n", shop.shop, "create", "configmap", "foreign", "--from-literal=a=b")
    shop.document["apps"] = [a for a in shop.document["apps"] if a["name"] != "worker"]
    shop.save()
    shop.commit("Remove worker")
    answer = shop.plan()
    gone = {"Deployment/worker", "CronJob/report"}
    assert answer.ops("dev-1") == {("delete", name) for name in gone}
    for cluster in NAMES[1:]:
        assert answer.ops(cluster) == {("orphaned", name) for name in gone}
    assert (answer.data["summary"]["delete"], answer.data["summary"]["orphaned"]) == (2, 4)
    shop.apply()
    after = shop.live()
    added = {f"{cluster}/ConfigMap/foreign" for cluster in NAMES}
    assert _changed(before, after) == {f"dev-1/{name}" for name in gone} | added
    slices = shop.sandbox.kubectl(
        shop.sandbox.contexts[0], "-n", shop.shop, "get", "endpointslices", "-o", "name"
    )
    assert {line.split("/")[1].rsplit("-", 1)[0] for line in slices.split()} == {"api", "redis", "web"}
    assert shop.plan("--detailed-exitcode").ops("dev-1") == set()
    shop.git("revert", "--no-edit", "HEAD")
    shop.apply()
    reverted = shop.live()
    alive = reverted.keys() - {f"dev-1/{name}" for name in gone} - added
    assert {k: reverted[k] for k in alive} == {k: before[k] for k in alive}
    for name in gone:
        assert reverted[f"dev-1/{name}"][2] == before[f"dev-1/{name}"][2]
    for context in shop.sandbox.contexts:
        shop.sandbox.kubectl(context, "-n", shop.shop, "delete", "configmap", "foreign")


def test_one_dead_cluster_stops_no_other(shop: Demo) -> None:
    shop.write("environments/prod/api.yaml", "replicas: {api: 4}\nlabels: {support: pager}\n")
    shop.write("environments/staging/web.yaml", "images: {registry.shop.example/web: 1.1.0}\n")
    shop.commit("Change staging and prod")
    sandbox = shop.sandbox.contexts[1]
    down = shop.run("sandbox", "down", "--name", sandbox.rpartition("-")[0], "--cluster", sandbox)
    assert down.code == 0, down.text
    try:
        answer = shop.plan(code=4)
        status = {c["name"]: c["status"] for c in answer.data["clusters"]}
        assert status == {"dev-1": "unchanged", "staging-1": "unreachable", "prod-1": "changed"}
        assert answer.data["summary"]["unreachable"] == 1
        assert answer.ops("prod-1") == {("update", "Deployment/api")}
        assert "unreachable" in shop.run("plan").out
        applied = shop.apply(code=4)
        assert applied.results("prod-1") == {("update", "Deployment/api", "done")}
    finally:
        up = shop.run("sandbox", "up", "--name", sandbox.rpartition("-")[0], "--clusters", "3")
        assert up.code == 0, up.text
    assert shop.plan().ops() == {("update", "Deployment/web")}
    shop.apply()
    shop.assert_settled()


def test_a_new_environment_and_cluster_get_everything_and_nobody_else_anything(shop: Demo) -> None:
    before = shop.live()
    shop.document["environments"].append({"name": "edge", "vars": shop.document["environments"][0]["vars"]})
    entry = {
        **shop.document["clusters"][0],
        "name": "edge-1",
        "environment": "edge",
        "vars": {"domain": "e.example"},
    }
    shop.document["clusters"].append(entry)
    shop.document["apps"] = [
        a
        if "environments" in a.get("placement", {})  # it does not go there
        else {**a, "overlays": {**a.get("overlays", {}), "edge": {"namespace": f"{shop.name}-edge"}}}
        for a in shop.document["apps"]
    ]
    shop.namespaces.add(f"{shop.name}-edge")
    shop.save()
    shop.commit("Add edge-1, which shares the API server of dev-1 by the same access")
    answer = shop.plan()
    assert {c["name"] for c in answer.data["clusters"] if c["changes"]} == {"edge-1"}
    assert {c["op"] for c in answer.changes()} == {"create"}
    shop.apply()
    shop.assert_settled()
    shop.namespaces.discard(f"{shop.name}-edge")
    assert shop.live() == before
    # the entry leaves fleet.yaml: nothing on the cluster is deleted by that
    shop.git("revert", "--no-edit", "HEAD")
    shop.assert_settled()
    shop.apply()
    live = shop.sandbox.kubectl(
        shop.sandbox.contexts[0], "-n", f"{shop.name}-edge", "get", "deployments", "-o", "name"
    )
    assert len(live.split()) == 4
    shop.sandbox.kubectl(shop.sandbox.contexts[0], "delete", "namespace", f"{shop.name}-edge", "--wait=false")


def test_drift_is_exactly_what_was_done_by_hand_and_heals(shop: Demo) -> None:
    context = shop.sandbox.contexts[1]
    before = shop.live()
    shop.sandbox.kubectl(context, "-n", shop.shop, "scale", "deployment", "worker", "--replicas=5")
    shop.sandbox.kubectl(context, "-n", shop.shop, "delete", "service", "web")
    answer = shop.drift()
    assert answer.code == 2, answer.text
    assert answer.ops() == {("update", "Deployment/worker"), ("create", "Service/web")}
    assert answer.ops("staging-1") == answer.ops()
    scaled = answer.change("Deployment/worker")
    assert paths(scaled) == ["/spec/replicas"]
    assert scaled["diff"][0]["old"] == 5
    assert scaled["writer"].startswith("kubectl")
    shop.apply()
    assert shop.drift().code == 0
    assert _changed(before, shop.live()) == {"staging-1/Service/web"}  # a new uid


def test_an_autoscaler_and_the_fleet_do_not_fight(shop: Demo) -> None:
    context = shop.sandbox.contexts[2]
    shop.sandbox.kubectl(context, "-n", shop.shop, "scale", "deployment", "web", "--replicas=5")
    shop.assert_settled()


def test_the_first_contact_is_told(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets()
    fleet.save()
    fleet.write("apps/web/a.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
    (cluster,) = fleet.plan().data["clusters"]
    assert cluster["firstContact"] is True
    assert "first contact" in fleet.run("plan").out
    fleet.apply()
    assert "firstContact" not in fleet.plan().data["clusters"][0]
