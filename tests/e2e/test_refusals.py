"""Bad input against real control planes: the exit code, what is named, and that nothing is touched."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e.fleets import Fleet
from tests.e2e.test_engine_traps import CONFIG, DEPLOYMENT, OTHER

pytestmark = pytest.mark.e2e

NOBODY = """
apiVersion: v1
kind: Config
clusters: [{name: nobody, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: t}}]
contexts: [{name: nobody, context: {cluster: nobody, user: nobody}}]
"""


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, app ``web`` of one ConfigMap, prune on."""
    made = fleets()
    made.save()
    made.manifests(config=CONFIG)
    return made


def nobody(fleet: Fleet, index: int) -> dict[str, Any]:
    """An entry whose API server does not answer."""
    fleet.write("nobody.yaml", NOBODY)
    return {**fleet.entry(index), "access": {"kubeconfig": "nobody.yaml", "context": "nobody"}}


def test_unreachable_is_4_and_the_others_are_done(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets(2)
    fleet.entries[1] = nobody(fleet, 1)
    fleet.save()
    fleet.manifests(config=CONFIG)
    plan = fleet.plan(code=4).data
    assert [c["status"] for c in plan["clusters"]] == ["changed", "unreachable"]
    assert "connection refused" in plan["clusters"][1]["error"]["message"]
    assert fleet.apply(code=4).results("one") >= {("create", "ConfigMap/settings", "done")}
    fleet.entries = [nobody(fleet, 1)]
    fleet.save()
    for verb in (("plan",), ("diff",), ("drift",), ("status",), ("apply", "--yes")):
        answer = fleet.run(*verb)
        assert answer.code == 4, answer.text
        assert "no changes" not in answer.text.lower()


def test_a_bad_token_is_3(fleet: Fleet) -> None:
    config = yaml.safe_load(fleet.sandbox.kubeconfig.read_text(encoding="utf-8"))
    for user in config["users"]:
        user["user"] = {"token": "canary-token"}
    fleet.write("bad.yaml", yaml.safe_dump(config))
    fleet.entries[0]["access"]["kubeconfig"] = "bad.yaml"
    fleet.save()
    for verb in (("plan",), ("diff",), ("drift",), ("status",), ("apply", "--yes")):
        answer = fleet.run(*verb)
        assert answer.code == 3, answer.text
        assert "canary-token" not in answer.text


def test_a_reader_sees_the_plan_unverified_and_may_not_apply(fleet: Fleet) -> None:
    fleet.manifests(config=CONFIG, web=DEPLOYMENT)
    fleet.apply("--no-wait")
    access = fleet.entries[0]["access"]
    access["context"] += "-reader"
    fleet.save()
    fleet.assert_settled()
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'), web=DEPLOYMENT, other=OTHER)
    answer = fleet.plan()
    assert answer.ops() == {("update", "ConfigMap/settings"), ("create", "ConfigMap/other")}
    assert all(c["unverified"] is True for c in answer.changes())
    assert answer.data["summary"]["unverified"] == 2
    assert "cannot patch configmaps" in answer.change("ConfigMap/settings")["reason"]
    assert answer.change("ConfigMap/settings")["diff"] == [{"path": "/data/a", "old": "1", "new": "2"}]
    applied = fleet.apply(code=3)
    assert applied.results() == {
        ("update", "ConfigMap/settings", "failed"),
        ("create", "ConfigMap/other", "failed"),
    }
    text = fleet.run("apply", "--yes").text
    assert "cannot patch configmaps" in text
    assert f"{fleet.ns}/settings" in text


def test_a_reader_at_first_contact_is_told_what_it_may_not(fleet: Fleet) -> None:
    fleet.entries[0]["access"]["context"] += "-reader"
    fleet.save()
    answer = fleet.plan()
    assert ("create", "ConfigMap/settings") in answer.ops()
    applied = fleet.apply(code=3)
    assert "cannot" in applied.text
    assert "forbidden" not in applied.out.lower() or "patch" in applied.out


def test_the_context_of_another_entry_is_5(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets(2)
    fleet.save()
    fleet.manifests(config=CONFIG)
    fleet.apply()
    before = fleet.get("configmap", "settings", cluster=0)
    fleet.entries[1]["access"] = {
        **fleet.entries[0]["access"],
        "context": f"{fleet.entries[0]['access']['context']}-reader",
    }
    fleet.entries[1]["name"] = "other"
    fleet.save()
    answer = fleet.plan(code=5)
    assert "one" in answer.data["clusters"][1]["error"]["message"]
    assert answer.data["clusters"][1]["error"]["code"] == "FLT-5001"
    fleet.apply(code=5)
    assert fleet.get("configmap", "settings", cluster=0) == before
    uid = fleet.kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    fleet.entries[1]["identity"] = uid
    fleet.save()
    answer = fleet.plan(code=4)  # meant so now: but the object is the first entry's
    assert answer.changes("other")[0]["op"] == "conflict"
    fleet.entries[1]["identity"] = "0000"
    fleet.save()
    answer = fleet.plan(code=5)
    assert uid in answer.data["clusters"][1]["error"]["message"]


def test_two_entries_by_mistake_on_one_new_cluster_are_refused(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets()
    config = yaml.safe_load(fleet.sandbox.kubeconfig.read_text(encoding="utf-8"))
    context = fleet.entries[0]["access"]["context"]
    original = next(c for c in config["contexts"] if c["name"] == context)
    config["contexts"].append({"name": "alias", "context": original["context"]})
    fleet.write("alias.yaml", yaml.safe_dump(config))
    fleet.entries.append({**fleet.entry(1), "access": {"kubeconfig": "alias.yaml", "context": "alias"}})
    fleet.save()
    fleet.manifests(config=CONFIG)
    answer = fleet.plan(code=5)
    assert any("one" in c["error"]["message"] for c in answer.data["clusters"] if "error" in c)
    fleet.apply(code=5)


INVALID = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replica: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: main
          image: nginx
          ports:
            - containerPort: 99999
"""


@pytest.mark.parametrize("namespace", ["existing", "new"])
def test_an_invalid_manifest_is_told_at_its_line(fleet: Fleet, namespace: str) -> None:
    if namespace == "existing":
        fleet.apply()
    fleet.manifests(config=CONFIG, web=INVALID)
    answer = fleet.plan(code=1)
    change = answer.change("Deployment/web")
    assert change["op"] == "denied"
    assert ".spec.replica" in change["reason"]
    assert change["origin"] == "apps/web/web.yaml:6"
    text = fleet.run("plan")
    assert text.code == 1
    assert "apps/web/web.yaml:6" in text.out
    fleet.manifests(config=CONFIG, web=INVALID.replace("replica: 3", "replicas: 3"))
    change = fleet.plan(code=1).change("Deployment/web")
    assert "containerPort" in change["reason"]
    assert change["origin"] == "apps/web/web.yaml:15"
    result = fleet.apply(code=1)
    assert ("denied", "Deployment/web", "failed") in result.results()
    assert "apps/web/web.yaml" in result.out
    assert "Deployment/web" not in fleet.everything("deployment") if namespace == "existing" else True


def test_a_kind_without_its_definition_is_denied(fleet: Fleet) -> None:
    fleet.manifests(
        config=CONFIG, monitor="{apiVersion: monitoring.example/v1, kind: Monitor, metadata: {name: m}}"
    )
    answer = fleet.plan(code=1)
    change = answer.change("Monitor/m")
    assert change["op"] == "denied"
    assert "does not serve Monitor" in change["reason"]


def test_two_apps_that_own_one_object_are_named(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("api")]
    fleet.save()
    fleet.manifests("api", config=CONFIG)
    answer = fleet.run("plan")
    assert answer.code == 1
    assert "apps/web/config.yaml" in answer.text
    assert "apps/api/config.yaml" in answer.text


def test_nobody_to_ask_is_64_with_the_flag(fleet: Fleet) -> None:
    answer = fleet.run("apply")
    assert answer.code == 64, answer.text
    assert "--yes" in answer.err
    assert fleet.records() == []
    fleet.apply()
    assert fleet.run("apply").code == 0  # nothing to ask about


def test_names_that_are_not_in_the_fleet_are_64(fleet: Fleet) -> None:
    for flag, near in (("-c", "onee"), ("-a", "webb"), ("-e", "devv")):
        answer = fleet.run("plan", flag, near)
        assert answer.code == 64, answer.text
        assert near in answer.err
        assert "did you mean" in answer.err.lower()
    for verb in ("apply", "diff", "drift", "status"):
        assert fleet.run(verb, "-c", "onee").code == 64


def test_a_namespace_that_nobody_creates_is_denied(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web", createNamespace=False)]
    fleet.save()
    answer = fleet.plan(code=1)
    change = answer.change("ConfigMap/settings")
    assert change["op"] == "denied"
    assert "createNamespace" in change["reason"]
    fleet.apply(code=1)


def test_a_namespace_that_is_going_is_told(fleet: Fleet) -> None:
    fleet.apply()
    fleet.kubectl(
        "patch", "configmap", "settings", "-p", '{"metadata": {"finalizers": ["example.com/hold"]}}'
    )
    fleet.kubectl("delete", "namespace", fleet.ns, "--wait=false")
    fleet.manifests(config=CONFIG, other=OTHER)
    answer = fleet.plan(code=1)
    change = answer.change("ConfigMap/other")
    assert change["op"] == "denied"
    assert "terminat" in change["reason"] or "being deleted" in change["reason"]
    fleet.kubectl("patch", "configmap", "settings", "--type=merge", '-p={"metadata": {"finalizers": null}}')


def test_a_dead_webhook_leaves_the_plan_unverified(fleet: Fleet) -> None:
    fleet.defaults = {"retry": {"limit": 0}}
    fleet.save()
    fleet.apply()
    hook = f"""
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingWebhookConfiguration
    metadata: {{name: {fleet.name}}}
    webhooks:
      - name: dead.{fleet.name}.example
        clientConfig: {{url: "https://127.0.0.1:1/"}}
        rules: [{{apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [configmaps]}}]
        namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {fleet.ns}}}}}
        failurePolicy: Fail
        sideEffects: None
        admissionReviewVersions: [v1]
    """
    fleet.kubectl("create", "-f", "-", stdin=hook)
    try:
        fleet.assert_settled()
        fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
        change: dict[str, Any] = {}
        for _ in range(20):  # the API server takes a moment to know of the webhook
            change = fleet.plan().change("ConfigMap/settings")
            if change.get("unverified"):
                break
        assert change["unverified"] is True
        assert change["op"] == "update"
        assert "webhook" in change["reason"]
        fleet.apply(code=1)
    finally:
        fleet.kubectl("delete", "validatingwebhookconfiguration", fleet.name)
    fleet.apply()
    fleet.assert_settled()


def test_a_dead_aggregated_api_disturbs_only_its_own_kinds(fleet: Fleet) -> None:
    fleet.apply()
    service = f"""
    apiVersion: apiregistration.k8s.io/v1
    kind: APIService
    metadata: {{name: v1.{fleet.name}.example}}
    spec:
      group: {fleet.name}.example
      version: v1
      groupPriorityMinimum: 100
      versionPriority: 100
      insecureSkipTLSVerify: true
      service: {{name: nobody, namespace: default}}
    """
    fleet.kubectl("create", "-f", "-", stdin=service)
    try:
        fleet.assert_settled()
        thing = f"{{apiVersion: {fleet.name}.example/v1, kind: Thing, metadata: {{name: t}}}}"
        fleet.manifests(config=CONFIG.replace('"1"', '"2"'), thing=thing)
        answer = fleet.plan(code=1)
        assert answer.ops() == {("update", "ConfigMap/settings"), ("denied", "Thing/t")}
    finally:
        fleet.kubectl("delete", "apiservice", f"v1.{fleet.name}.example")


def test_an_api_server_that_never_answers_is_unreachable(fleets: Callable[..., Fleet]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fleet = fleets(2)
        fleet.entries[1] = nobody(fleet, 1)
        port = silent.getsockname()[1]
        fleet.write("nobody.yaml", NOBODY.replace("127.0.0.1:1", f"127.0.0.1:{port}"))
        fleet.save()
        fleet.manifests(config=CONFIG)
        plan = fleet.plan(code=4).data
        assert [c["status"] for c in plan["clusters"]] == ["changed", "unreachable"]
