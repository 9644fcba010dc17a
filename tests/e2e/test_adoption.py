"""What other tools made becomes ours in place: exactly as planned, nothing restarted, nothing left behind."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from fleetmgr.engine.adoption import without_bookkeeping
from fleetmgr.engine.compare import changes_between
from tests.e2e.fleets import Fleet, paths
from tests.e2e.test_engine_traps import CONFIG
from tests.e2e.test_interruptions import config_maps

pytestmark = pytest.mark.e2e

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: $NS$MARKS}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "nginx:1.27", env: [{name: A, value: "1"}$MORE]}
"""
MORE = ', {name: B, value: "2"}'
TOOLS: dict[str, tuple[list[str], dict[str, Any], list[str], str]] = {
    "kubectl apply": (["apply"], {}, ["kubectl-client-side-apply"], "kubectl-client-side-apply"),
    "kubectl create": (["create"], {}, ["kubectl-create"], "kubectl-create"),
    "kubectl server-side": (["apply", "--server-side"], {}, ["kubectl"], "kubectl"),
    "helm": (
        ["create", "--field-manager=helm"],
        {"annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "$NS"}},
        ["helm"],
        "kubectl --namespace $NS delete secret --selector owner=helm,name=shop",
    ),
    "argocd": (
        ["apply", "--server-side", "--field-manager=argocd-controller"],
        {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:$NS/web"}},
        ["argocd-controller"],
        "argocd app delete shop --cascade=false",
    ),
    "flux": (
        ["apply", "--server-side", "--field-manager=kustomize-controller"],
        {
            "labels": {
                "kustomize.toolkit.fluxcd.io/name": "shop",
                "kustomize.toolkit.fluxcd.io/namespace": "fs",
            }
        },
        ["kustomize-controller"],
        "flux suspend kustomization shop --namespace fs",
    ),
    "pulumi": (
        ["apply", "--server-side", "--field-manager=pulumi-kubernetes-1a2b3c4d"],
        {},
        ["pulumi-kubernetes-1a2b3c4d"],
        "pulumi state delete",
    ),
}


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, app ``web``; its namespace exists."""
    made = fleets()
    made.save()
    made.sandbox.kubectl(made.sandbox.contexts[0], "create", "namespace", made.ns)
    return made


def deployment(fleet: Fleet, *, more: str = "", marks: dict[str, Any] | None = None) -> str:
    shown = f", {json.dumps(marks)[1:-1]}" if marks else ""
    return DEPLOYMENT.replace("$MARKS", shown).replace("$MORE", more).replace("$NS", fleet.ns)


def make(fleet: Fleet, text: str, *how: str) -> None:
    fleet.kubectl(*(how or ("apply",)), "-f", "-", stdin=text)
    if "kind: Deployment" in text:
        fleet.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=120s")


def really_changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Paths that differ; the revision is counted by the Deployment's controller when its template changes."""
    changed = without_bookkeeping(changes_between(before, after, {}))
    return sorted(d.path for d in changed if "deployment.kubernetes.io" not in d.path)


def adopted(fleet: Fleet, kind: str, name: str) -> None:
    """Plan and apply with --adopt: what is planned for an object is what happens to it, and then all is well."""
    before = fleet.get(kind, name)
    change = next(c for c in fleet.plan("--adopt").changes() if c["object"]["name"] == name)
    assert change["op"] == "adopt"
    fleet.apply("--adopt")
    after = fleet.get(kind, name)
    assert really_changed(before, after) == sorted(paths(change))
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert not set(change["takesOver"]) & {e["manager"] for e in after["metadata"]["managedFields"]}
    fleet.assert_settled()


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tools_objects_are_taken_over_as_planned(fleet: Fleet, tool: str) -> None:
    how, marks, managers, forget = json.loads(json.dumps(TOOLS[tool]).replace("$NS", fleet.ns))
    make(fleet, deployment(fleet, more=MORE, marks=marks), *how)
    fleet.manifests(web=deployment(fleet))
    conflict = fleet.plan(code=1).change("Deployment/web")
    assert conflict["op"] == "conflict"
    assert "--adopt" in conflict["reason"]
    change = fleet.plan("--adopt").change("Deployment/web")
    assert change["takesOver"] == managers
    assert forget in change["reason"]
    env = "/spec/template/spec/containers/[name=main]/env/[name=B]"
    assert env in paths(change)
    adopted(fleet, "deployment", "web")
    metadata = fleet.get("deployment", "web")["metadata"]
    assert not set(marks.get("annotations", {})) & set(metadata["annotations"])
    assert "kubectl.kubernetes.io/last-applied-configuration" not in metadata["annotations"]


def test_a_helm_release_is_forgotten_with_the_command_that_the_plan_names(fleet: Fleet) -> None:
    marks = TOOLS["helm"][1]
    make(
        fleet,
        deployment(fleet, marks=json.loads(json.dumps(marks).replace("$NS", fleet.ns))),
        *TOOLS["helm"][0],
    )
    record = {"name": "sh.helm.release.v1.shop.v1", "labels": {"owner": "helm", "name": "shop"}}
    make(fleet, json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": record}), "create")
    fleet.manifests(web=deployment(fleet))
    reason = fleet.plan("--adopt").change("Deployment/web")["reason"]
    fleet.apply("--adopt")
    command = shlex.split(reason[reason.index("kubectl --namespace") :])
    fleet.sandbox.kubectl(fleet.sandbox.contexts[0], *command[1:])
    assert fleet.get("secret", "sh.helm.release.v1.shop.v1") == {}
    assert fleet.get("deployment", "web")


def test_a_hundred_deployments_restart_no_pod(fleet: Fleet) -> None:
    everything = "---".join(
        deployment(fleet).replace("name: web", f"name: web-{n}").replace("app: web", f"app: web-{n}")
        for n in range(100)
    )
    make(fleet, everything)
    pods = {k: v["metadata"]["uid"] for k, v in fleet.everything("pod").items()}
    before = fleet.everything("deployment", "replicaset")
    assert len(pods) == 100
    fleet.manifests(web=everything)
    answer = fleet.plan("--adopt")
    assert answer.data["summary"]["adopt"] == 100
    assert all(not change["diff"] for change in answer.changes())
    fleet.apply("--adopt")
    after = fleet.everything("deployment", "replicaset")
    assert after.keys() == before.keys()
    for name, item in before.items():
        assert after[name]["spec"] == item["spec"]
        assert after[name]["metadata"]["uid"] == item["metadata"]["uid"]
    assert {k: v["metadata"]["uid"] for k, v in fleet.everything("pod").items()} == pods
    fleet.assert_settled()


def test_a_restart_and_an_autoscalers_replicas_are_not_undone(fleet: Fleet) -> None:
    unsaid = deployment(fleet).replace("  replicas: 1\n", "")
    make(fleet, deployment(fleet))
    fleet.kubectl("rollout", "restart", "deployment", "web")
    fleet.kubectl("scale", "deployment", "web", "--replicas=3")
    fleet.kubectl("rollout", "status", "deployment", "web", "--timeout=60s")
    before = fleet.get("deployment", "web")["spec"]
    assert (before["replicas"], len(before["template"]["metadata"]["annotations"])) == (3, 1)
    fleet.manifests(web=unsaid)
    adopted(fleet, "deployment", "web")
    assert fleet.get("deployment", "web")["spec"] == before


CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: $NS}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


@pytest.mark.parametrize("wiped", [False, True])
def test_a_claim_and_a_namespace_keep_what_they_hold(fleet: Fleet, wiped: bool) -> None:
    fleet.apps = [{**fleet.app("web"), "namespace": {"name": fleet.ns, "labels": {"team": "a"}}}]
    fleet.save()
    claim = CLAIM.replace("$NS", fleet.ns)
    make(fleet, claim, "create")
    fleet.kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data", "--timeout=60s")
    if wiped:
        nothing = '-p=[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]'
        fleet.kubectl("patch", "pvc", "data", "--type=json", nothing)
        fleet.kubectl("patch", "namespace", fleet.ns, "--type=json", nothing)
    fleet.manifests(claim=claim)
    before = fleet.get("pvc", "data")
    namespace = fleet.get("namespace", fleet.ns)["metadata"]["uid"]
    assert fleet.plan("--adopt").ops() == {
        ("adopt", f"Namespace/{fleet.ns}"),
        ("adopt", "PersistentVolumeClaim/data"),
    }
    adopted(fleet, "pvc", "data")
    after = fleet.get("pvc", "data")
    assert after["spec"] == before["spec"]
    assert after["metadata"]["finalizers"] == before["metadata"]["finalizers"]
    assert fleet.get("namespace", fleet.ns)["metadata"]["uid"] == namespace
    assert fleet.get("namespace", fleet.ns)["metadata"]["labels"]["team"] == "a"


def test_fields_of_wiped_objects_are_removed_too(fleet: Fleet) -> None:
    make(fleet, deployment(fleet, more=MORE, marks={"labels": {"old": "x"}}), "create")
    nothing = '-p=[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]'
    fleet.kubectl("patch", "deployment", "web", "--type=json", nothing)
    fleet.manifests(web=deployment(fleet))
    assert "/metadata/labels" in str(paths(fleet.plan("--adopt").change("Deployment/web")))
    adopted(fleet, "deployment", "web")


def test_an_app_may_always_adopt(fleet: Fleet) -> None:
    make(fleet, CONFIG)
    fleet.manifests(config=CONFIG)
    fleet.apps = [fleet.app("web", adopt="always")]
    fleet.save()
    assert fleet.plan().ops() == {("adopt", "ConfigMap/settings")}
    assert ("adopt", "ConfigMap/settings", "done") in fleet.apply().results()
    fleet.assert_settled()


def test_another_fleets_and_a_controllers_objects_are_never_adopted(fleets: Callable[..., Fleet]) -> None:
    first, second = fleets(), fleets()
    first.save()
    first.manifests(config=CONFIG, web=deployment(first))
    first.apply()
    (controlled,) = (k.removeprefix("ReplicaSet/") for k in first.everything("replicaset"))
    second.apps = [{**second.app("web"), "namespace": first.ns}]
    second.save()
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "x"}]}}
    mine: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": controlled},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": pod},
    }
    second.manifests(config=CONFIG, set=json.dumps(mine))
    before = first.get("configmap", "settings")
    answer = second.plan("--adopt", code=1)
    assert {op for op, _ in answer.ops()} == {"conflict"}
    assert f"only fleet {first.name}" in answer.change("ConfigMap/settings")["reason"]
    assert "Deployment web controls it" in answer.change(f"ReplicaSet/{controlled}")["reason"]
    second.apply("--adopt", code=1)
    assert first.get("configmap", "settings") == before
    first.assert_settled()


def test_killed_between_move_and_apply_it_goes_on(fleet: Fleet) -> None:
    make(fleet, CONFIG.replace("\ndata: {", "\ndata: {b: x, "))
    entries = fleet.get("configmap", "settings")["metadata"]["managedFields"]
    (entry,) = entries
    moved = {**entry, "manager": f"fleetmgr:{fleet.name}", "operation": "Apply"}
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [moved]}]
    fleet.kubectl("patch", "configmap", "settings", "--type=json", f"-p={json.dumps(patch)}")
    fleet.manifests(config=CONFIG)
    assert fleet.plan("--adopt").change("ConfigMap/settings")["op"] == "adopt"
    adopted(fleet, "configmap", "settings")
    assert fleet.get("configmap", "settings")["data"] == {"a": "1"}


def test_a_killed_adoption_is_finished_by_the_next(fleet: Fleet) -> None:
    many = config_maps(0, 24)
    make(fleet, many)
    fleet.apps = [fleet.app("web", adopt="always")]
    fleet.save()
    fleet.manifests(config=many)
    before = {k: v["metadata"]["uid"] for k, v in fleet.everything("configmap").items()}
    with fleet.start("apply", "--yes") as running:
        assert running.stderr is not None
        told = (line for line in running.stderr if "preview" not in line)
        for _ in zip(range(5), told, strict=False):
            pass
        running.kill()
    fleet.apply()
    fleet.assert_settled()
    assert {k: v["metadata"]["uid"] for k, v in fleet.everything("configmap").items()} == before


def test_two_tools_that_fight_are_shown_as_flapping(fleet: Fleet) -> None:
    make(fleet, deployment(fleet))
    fleet.manifests(web=deployment(fleet))
    fleet.apply("--adopt")
    theirs = deployment(fleet).replace("replicas: 1", "replicas: 3")
    fight = ("apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller")
    make(fleet, theirs, *fight)
    first = fleet.plan().change("Deployment/web")
    assert first["drift"] is True
    assert "flapping" not in first.get("reason", "")
    fleet.apply()
    make(fleet, theirs, *fight)
    again = fleet.plan().change("Deployment/web")
    assert "flapping: argocd-controller keeps writing this; healed once before" in again["reason"]
    assert "flapping: argocd-controller" in fleet.run("drift").out
    fleet.apply()
    make(fleet, theirs, *fight)
    assert "healed 2 times before" in fleet.plan().change("Deployment/web")["reason"]
    fleet.kubectl("scale", "deployment", "web", "--replicas=5")
    assert "flapping" not in fleet.plan().change("Deployment/web").get("reason", "")
