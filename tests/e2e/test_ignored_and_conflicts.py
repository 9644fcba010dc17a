"""Fields that others write too, on real control planes: ignored, left, taken, refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.e2e.fleets import Fleet, paths

pytestmark = pytest.mark.e2e

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: "web:1"}]
"""
WITHOUT_REPLICAS = DEPLOYMENT.replace("  replicas: 5\n", "")
IMAGE_2 = ("web:1", "web:2")
REPLICAS: Mapping[str, Any] = {"kind": "Deployment", "pointers": ["/spec/replicas"]}
HPA = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 3
  maxReplicas: 9
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
"""


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    return fleets()


def deployed(
    fleet: Fleet, *rules: Mapping[str, Any], sync: Mapping[str, Any] | None = None, **files: str
) -> None:
    fleet.apps = [fleet.app("web", **policy(*rules, sync=sync))]
    fleet.save()
    fleet.manifests(**files)
    fleet.apply("--no-wait")
    fleet.assert_settled()


def policy(*rules: Mapping[str, Any], sync: Mapping[str, Any] | None = None) -> dict[str, Any]:
    more: dict[str, Any] = {"ignoreDifferences": list(rules)} if rules else {}
    return more | ({"sync": dict(sync)} if sync else {})


def replicas(fleet: Fleet) -> int:
    return int(fleet.get("deployment", "web")["spec"]["replicas"])


def holders(fleet: Fleet, field: str) -> set[str]:
    """Managers of ``spec.<field>`` of the Deployment."""
    entries = fleet.get("deployment", "web")["metadata"]["managedFields"]
    return {e["manager"] for e in entries if f"f:{field}" in e["fieldsV1"].get("f:spec", {})}


# -- ignored ------------------------------------------------------------------------------------------------------


def test_ignored_replicas_that_only_we_hold_are_never_reset_to_one(fleet: Fleet) -> None:
    """Applied and then left out, replicas become 1 at once: that is what ignoring must never do."""
    deployed(fleet, REPLICAS, web=DEPLOYMENT)
    for later in (WITHOUT_REPLICAS, DEPLOYMENT.replace("replicas: 5", "replicas: 2")):
        fleet.manifests(web=later)
        fleet.assert_settled()
        fleet.manifests(web=later.replace(*IMAGE_2))
        (change,) = fleet.plan().changes()
        assert paths(change) == ["/spec/template/spec/containers/[name=main]/image"]
        fleet.apply("--no-wait")
        assert replicas(fleet) == 5
        fleet.assert_settled()
        fleet.manifests(web=later)
        fleet.apply("--no-wait")


def test_without_the_rule_they_would_be_reset_and_the_plan_says_so(fleet: Fleet) -> None:
    deployed(fleet, web=DEPLOYMENT)
    fleet.manifests(web=WITHOUT_REPLICAS)
    (change,) = fleet.plan().changes()
    (field,) = change["diff"]
    assert (field["path"], field["old"], field["new"]) == ("/spec/replicas", 5, 1)


def test_kubectl_scale_of_ignored_replicas_is_no_drift_and_stays(fleet: Fleet) -> None:
    deployed(fleet, REPLICAS, web=DEPLOYMENT)
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    fleet.assert_settled()
    assert fleet.run("drift", "-o", "json").changes() == []
    fleet.manifests(web=DEPLOYMENT.replace(*IMAGE_2))
    fleet.apply("--no-wait")
    assert replicas(fleet) == 7
    assert fleet.name not in str(holders(fleet, "replicas"))
    fleet.assert_settled()


def test_an_autoscaler_keeps_what_it_set(fleet: Fleet) -> None:
    deployed(fleet, REPLICAS, web=DEPLOYMENT)
    scale: dict[str, Any] = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 6}}
    scale["metadata"] = {"name": "web", "namespace": fleet.ns}
    path = f"/apis/apps/v1/namespaces/{fleet.ns}/deployments/web/scale?fieldManager=kube-controller-manager"
    fleet.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(scale))
    fleet.assert_settled()
    fleet.manifests(web=WITHOUT_REPLICAS.replace(*IMAGE_2))
    fleet.apply("--no-wait")
    assert replicas(fleet) == 6
    assert holders(fleet, "replicas") == {"kube-controller-manager"}


def test_replicas_are_handed_over_to_an_autoscaler_of_the_same_commit(fleet: Fleet) -> None:
    deployed(fleet, web=DEPLOYMENT)
    fleet.manifests(web=WITHOUT_REPLICAS, hpa=HPA)
    change = fleet.plan().change("Deployment/web")
    (left,) = change["left"]
    assert (change["op"], left["live"], left["manager"]) == ("keep", 5, "HorizontalPodAutoscaler web")
    fleet.apply("--no-wait")
    assert replicas(fleet) == 5
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    fleet.manifests(web=DEPLOYMENT.replace(*IMAGE_2), hpa=HPA)
    assert paths(fleet.plan().change("Deployment/web")) == [
        "/spec/template/spec/containers/[name=main]/image"
    ]
    fleet.apply("--no-wait")
    assert replicas(fleet) == 7


def test_what_is_ignored_only_later_stays_as_it_is_and_heals_once_it_is_not(fleet: Fleet) -> None:
    deployed(fleet, web=DEPLOYMENT)
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    fleet.apps = [fleet.app("web", **policy(REPLICAS))]
    fleet.save()
    fleet.assert_settled()
    fleet.apply("--no-wait")
    fleet.apps = [fleet.app("web")]
    fleet.save()
    assert fleet.plan().ops() == {("update", "Deployment/web")}
    fleet.apply("--no-wait")
    assert replicas(fleet) == 5


def test_an_adoption_does_not_reset_what_is_ignored(fleet: Fleet) -> None:
    fleet.sandbox.kubectl(fleet.sandbox.contexts[0], "create", "namespace", fleet.ns)
    fleet.kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    fleet.apps = [fleet.app("web", adopt="always", **policy(REPLICAS))]
    fleet.save()
    fleet.manifests(web=WITHOUT_REPLICAS.replace(*IMAGE_2))
    change = fleet.plan().change("Deployment/web")
    assert (change["op"], paths(change)) == ("adopt", ["/spec/template/spec/containers/[name=main]/image"])
    fleet.apply("--no-wait")
    assert replicas(fleet) == 5
    fleet.assert_settled()


WEBHOOKS = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: $NS}
webhooks:
  - name: a.$NS.example
    clientConfig: {url: "https://127.0.0.1:1/a", caBundle: ""}
    rules: [{apiGroups: [none.example], apiVersions: [v1], operations: [CREATE], resources: [things]}]
    admissionReviewVersions: [v1]
    sideEffects: None
    timeoutSeconds: 5
"""
CA = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"


def test_a_ca_bundle_that_an_injector_writes_stays(fleet: Fleet) -> None:
    rule = {"group": "admissionregistration.k8s.io", "kind": "*"}
    deployed(
        fleet,
        {**rule, "jqPathExpressions": [".webhooks[]?.clientConfig.caBundle"]},
        hook=WEBHOOKS,
        web=DEPLOYMENT,
    )
    try:
        patch = [{"op": "add", "path": "/webhooks/0/timeoutSeconds", "value": 5}]
        fleet.kubectl(
            "patch", "mutatingwebhookconfiguration", fleet.ns, "--type=json", f"-p={json.dumps(patch)}"
        )
        fleet.manifests(hook=WEBHOOKS.replace("timeoutSeconds: 5", "timeoutSeconds: 7"), web=DEPLOYMENT)
        fleet.apply("--no-wait")
        assert fleet.get("mutatingwebhookconfiguration", fleet.ns)["webhooks"][0]["timeoutSeconds"] == 7
        fleet.assert_settled()
    finally:
        fleet.kubectl("delete", "mutatingwebhookconfiguration", fleet.ns)


def test_select_an_index_a_quoted_key_and_a_manager(fleet: Fleet) -> None:
    rules = [
        {"jqPathExpressions": ['.spec.template.spec.containers[] | select(.name == "main") | .image']},
        {"jqPathExpressions": ['.metadata.annotations["example.com/touched"]']},
        {"managedFieldsManagers": ["labeller"]},
    ]
    web = DEPLOYMENT.replace(
        "{name: web}", '{name: web, annotations: {example.com/touched: "no"}, labels: {a: b}}'
    )
    deployed(fleet, *rules, web=web)
    fleet.kubectl("set", "image", "deployment/web", "main=web:9")
    fleet.kubectl("annotate", "--overwrite", "deployment/web", "example.com/touched=yes")
    fleet.kubectl("label", "--overwrite", "--field-manager=labeller", "deployment/web", "a=c")
    fleet.assert_settled()
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    (change,) = fleet.plan().changes()
    assert paths(change) == ["/spec/replicas"]
    fleet.apply("--no-wait")
    live = fleet.get("deployment", "web")
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "web:9"
    assert live["metadata"]["annotations"]["example.com/touched"] == "yes"
    assert live["metadata"]["labels"]["a"] == "c"
    fleet.assert_settled()


def test_bad_paths_are_told_all_at_once_at_their_places(fleet: Fleet) -> None:
    rule = {"pointers": ["spec/replicas", "/kind"], "jqPathExpressions": [".spec | keys", ".spec.a, .b"]}
    fleet.apps = [fleet.app("web", ignoreDifferences=[rule, {"kind": "Deployment"}])]
    fleet.save()
    fleet.manifests(web=DEPLOYMENT)
    answer = fleet.run("validate", "-o", "json")
    assert answer.code == 1
    found = [(p["code"], p["where"]["line"]) for p in answer.data["problems"]]
    assert sorted(code for code, _ in found) == ["FLT-1110"] * 4 + ["FLT-1111"]
    assert len({line for _, line in found}) == 5


# -- others hold it -----------------------------------------------------------------------------------------------


def test_keep_theirs_leaves_it_and_the_plan_tells(fleet: Fleet) -> None:
    deployed(fleet, sync={"onConflict": "keep-theirs"}, web=DEPLOYMENT)
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    answer = fleet.run("plan", "--detailed-exitcode", "-o", "json")
    assert answer.code == 0
    (change,) = answer.changes()
    (left,) = change["left"]
    assert (change["op"], left["path"], left["live"], left["desired"]) == ("keep", "/spec/replicas", 7, 5)
    assert (left["manager"], left["why"]) == ("kubectl", "conflict")
    assert answer.data["summary"]["left"] == 1
    assert "spec.replicas stays 7 (Git: 5): left to kubectl" in fleet.run("plan").out
    fleet.manifests(web=DEPLOYMENT.replace(*IMAGE_2))
    fleet.apply("--no-wait")
    assert replicas(fleet) == 7
    assert [c["op"] for c in fleet.plan().changes()] == ["keep"]


def test_fail_names_every_manager_and_field_and_writes_nothing(fleet: Fleet) -> None:
    deployed(fleet, sync={"onConflict": "fail"}, web=DEPLOYMENT)
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    fleet.kubectl("set", "image", "--field-manager=bot", "deployment/web", "main=web:9")
    fleet.manifests(web=DEPLOYMENT.replace(*IMAGE_2))
    change = fleet.plan(code=1).change("Deployment/web")
    assert change["op"] == "conflict"
    assert "kubectl holds /spec/replicas" in change["reason"]
    assert "bot holds /spec/template/spec/containers/[name=main]/image" in change["reason"]
    before = fleet.get("deployment", "web")
    fleet.apply("--no-wait", code=1)
    assert fleet.get("deployment", "web")["metadata"]["generation"] == before["metadata"]["generation"]


def test_take_heals_and_an_annotation_decides_for_one_object(fleet: Fleet) -> None:
    kept = DEPLOYMENT.replace(
        "{name: web}", "{name: web, annotations: {fleetmgr.dev/on-conflict: keep-theirs}}"
    )
    deployed(fleet, web=DEPLOYMENT)
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    assert fleet.plan().ops() == {("update", "Deployment/web")}
    fleet.apply("--no-wait")
    assert replicas(fleet) == 5
    fleet.kubectl("scale", "deployment", "web", "--replicas=7")
    fleet.manifests(web=kept)
    fleet.apply("--no-wait")
    assert replicas(fleet) == 7
    fleet.manifests(web=kept.replace("keep-theirs", "sometimes"))
    answer = fleet.run("validate")
    assert answer.code == 1
    assert "FLT-1112" in answer.text
