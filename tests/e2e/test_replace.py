"""Immutable fields on real control planes: named in the plan, replaced with consent, nothing lost on the way."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e.fleets import Fleet, paths, short

pytestmark = pytest.mark.e2e


def deployment(app: str, **annotations: str) -> str:
    return manifest("apps/v1", "Deployment", "web", workload(app), **annotations)


def workload(app: str, **more: Any) -> dict[str, Any]:
    labels = {"app": app}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}
    return {"replicas": 2, "selector": {"matchLabels": labels}, "template": template, **more}


def job(image: str, **spec: Any) -> str:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}], **spec}
    return manifest("batch/v1", "Job", "migrate", {"template": {"spec": pod}})


def claim(size: str, **annotations: str) -> str:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": size,
        "resources": {"requests": {"storage": "1Mi"}},
    }
    return manifest("v1", "PersistentVolumeClaim", "data", spec, **annotations)


def manifest(api_version: str, kind: str, name: str, content: dict[str, Any], **annotations: str) -> str:
    metadata: dict[str, Any] = {"name": name}
    if annotations:
        metadata["annotations"] = {f"fleetmgr.dev/{key}": value for key, value in annotations.items()}
    top = content if kind in {"RoleBinding", "Secret", "StorageClass"} else {"spec": content}
    return yaml.safe_dump({"apiVersion": api_version, "kind": kind, "metadata": metadata, **top})


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, app ``web``."""
    made = fleets()
    made.save()
    return made


def uid(fleet: Fleet, kind: str, name: str) -> str:
    return fleet.get(kind, name)["metadata"]["uid"]


def pods(fleet: Fleet) -> dict[str, str]:
    return {name: o["metadata"]["uid"] for name, o in fleet.everything("pods").items()}


def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.3)  # noqa: TID251 - another program changes what is looked at


def test_a_selector_asks_first_and_force_replaces_it(fleet: Fleet) -> None:
    fleet.manifests(web=deployment("web"))
    fleet.apply()
    before = uid(fleet, "deployment", "web")
    fleet.manifests(web=deployment("shop"))
    denied = fleet.plan(code=1).change("Deployment/web")
    assert denied["op"] == "denied"
    assert denied["immutable"] == ["/spec/selector"]
    assert "fleet apply --force" in denied["reason"]
    text = fleet.run("plan").text
    assert "spec.selector cannot be changed in place" in text
    fleet.apply(code=1)
    assert uid(fleet, "deployment", "web") == before
    planned = fleet.plan("--force").change("Deployment/web")
    assert (planned["op"], planned["forced"]) == ("replace", True)
    assert set(paths(planned)) == {"/spec/selector/matchLabels/app", "/spec/template/metadata/labels/app"}
    text = fleet.run("plan", "--force").text
    assert text.index("Forced (1 change), by --force alone") < text.index("replace Deployment")
    assert fleet.apply("--force").results() == {("replace", "Deployment/web", "done")}
    live = fleet.get("deployment", "web")
    assert live["metadata"]["uid"] != before
    assert live["spec"]["selector"] == {"matchLabels": {"app": "shop"}}
    fleet.assert_settled()


def test_policy_always_replaces_services_bindings_and_secrets(fleet: Fleet) -> None:
    fleet.apps[0]["sync"] = {"replace": "always"}
    fleet.save()

    def write(role: str, address: dict[str, str], value: str) -> None:
        binding = {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": fleet.ns}],
        }
        service = {"selector": {"app": "web"}, "ports": [{"port": 80}], **address}
        fleet.manifests(
            binding=manifest("rbac.authorization.k8s.io/v1", "RoleBinding", "web", binding),
            service=manifest("v1", "Service", "web", service),
            secret=manifest("v1", "Secret", "key", {"immutable": True, "stringData": {"key": value}}),
        )

    write("reader", {}, "a-first-secret")
    fleet.apply("--no-wait")
    write("writer", {"clusterIP": "None"}, "a-second-secret")
    answer = fleet.plan()
    assert answer.ops() == {
        ("replace", "RoleBinding/web"),
        ("replace", "Service/web"),
        ("replace", "Secret/key"),
    }
    fields = {short(c): c["immutable"] for c in answer.changes()}
    assert fields == {
        "RoleBinding/web": ["/roleRef/name"],
        "Service/web": ["/spec/clusterIP"],
        "Secret/key": ["/data/key"],
    }
    assert "a-first-secret" not in answer.text
    assert "a-second-secret" not in answer.text
    assert "YS1zZWNvbmQtc2VjcmV0" not in answer.text
    fleet.apply("--no-wait")
    assert fleet.get("service", "web")["spec"]["clusterIP"] == "None"
    assert fleet.get("rolebinding", "web")["roleRef"]["name"] == "writer"
    fleet.assert_settled()


def test_a_second_plan_of_a_replace_has_the_same_id(fleet: Fleet) -> None:
    fleet.apps[0]["sync"] = {"replace": "always"}
    fleet.save()
    service = {"selector": {"app": "web"}, "ports": [{"port": 80}], "type": "NodePort"}
    fleet.manifests(web=deployment("web"), service=manifest("v1", "Service", "web", service), job=job("a:1"))
    fleet.apply("--no-wait")
    service["clusterIP"] = "10.96.7.7"
    fleet.manifests(web=deployment("shop"), service=manifest("v1", "Service", "web", service), job=job("a:2"))
    first, second = fleet.plan(), fleet.plan()
    assert {c["op"] for c in first.changes()} == {"replace"}
    assert first.data["id"] == second.data["id"]


def test_a_stateful_set_keeps_its_pods_and_never_goes_silently(fleet: Fleet) -> None:
    fleet.apps[0]["sync"] = {"replace": "always"}
    fleet.save()
    fleet.manifests(db=manifest("apps/v1", "StatefulSet", "db", workload("db", serviceName="db")))
    fleet.apply()
    before, members = uid(fleet, "statefulset", "db"), pods(fleet)
    assert set(members) == {"Pod/db-0", "Pod/db-1"}
    fleet.manifests(db=manifest("apps/v1", "StatefulSet", "db", workload("db", serviceName="other")))
    denied = fleet.plan(code=1).change("StatefulSet/db")
    assert denied["op"] == "denied"
    assert denied["immutable"] == ["/spec/serviceName"]
    assert "replace: always is not enough" in denied["reason"]
    assert "its pods and claims stay" in fleet.plan("--force").change("StatefulSet/db")["reason"]
    fleet.apply("--force", "--no-wait")
    after = fleet.get("statefulset", "db")
    assert after["metadata"]["uid"] != before
    eventually(
        lambda: all(
            o["metadata"]["ownerReferences"][0]["uid"] == after["metadata"]["uid"]
            for o in fleet.everything("pods").values()
            if o["metadata"].get("ownerReferences")
        )
    )
    assert "Pod/db-0" in pods(fleet)
    fleet.assert_settled()


def test_a_claim_is_never_replaced_by_a_policy(fleet: Fleet) -> None:
    fleet.apps[0]["sync"] = {"replace": "always"}
    fleet.save()
    fleet.manifests(data=claim("one"))
    fleet.apply("--no-wait")
    before = uid(fleet, "pvc", "data")
    fleet.manifests(data=claim("two"))
    denied = fleet.plan(code=1).change("PersistentVolumeClaim/data")
    assert denied["immutable"] == ["/spec/storageClassName"]
    fleet.apply("--no-wait", code=1)
    assert uid(fleet, "pvc", "data") == before
    fleet.manifests(data=claim("two", replace="always"))
    planned = fleet.plan().change("PersistentVolumeClaim/data")
    assert planned["op"] == "replace"
    assert "its data is lost unless its volume is retained" in planned["reason"]
    fleet.apply("--no-wait")
    assert fleet.get("pvc", "data")["spec"]["storageClassName"] == "two"
    fleet.manifests(data=claim("three", replace="never"))
    assert "never forbids" in fleet.plan("--force", code=1).change("PersistentVolumeClaim/data")["reason"]


def test_a_claim_in_use_is_waited_for_and_its_finalizer_named(fleet: Fleet) -> None:
    fleet.manifests(data=claim("one"))
    fleet.apply("--no-wait")
    pod = {
        "containers": [{"name": "main", "image": "web:1"}],
        "nodeSelector": {"nowhere": "true"},
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    fleet.kubectl("apply", "-f", "-", stdin=manifest("v1", "Pod", "user", pod))
    fleet.kubectl(
        "patch", "pvc", "data", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}'
    )
    fleet.manifests(data=claim("two"))
    answer = fleet.apply("--force", "--timeout", "2s", code=9)
    assert "example.com/hold" in answer.text
    assert "FLT-2020" in answer.text
    again = fleet.plan(code=1).change("PersistentVolumeClaim/data")
    assert "is being deleted" in again["reason"]
    fleet.kubectl("patch", "pvc", "data", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    eventually(lambda: not fleet.get("pvc", "data"))
    assert fleet.plan().ops() == {("create", "PersistentVolumeClaim/data")}
    fleet.apply("--no-wait")
    assert fleet.get("pvc", "data")["spec"]["storageClassName"] == "two"


def test_a_job_with_a_new_template_runs_again_without_being_asked(fleet: Fleet) -> None:
    fleet.manifests(job=job("tool:1"))
    fleet.apply()
    before = uid(fleet, "job", "migrate")
    fleet.manifests(job=job("tool:2"))
    planned = fleet.plan().change("Job/migrate")
    assert planned["op"] == "replace"
    assert planned["immutable"] == ["/spec/template"]
    assert paths(planned) == ["/spec/template/spec/containers/[name=main]/image"]
    assert fleet.apply().results() == {("replace", "Job/migrate", "done")}
    after = fleet.get("job", "migrate")
    assert after["metadata"]["uid"] != before
    assert after["status"]["succeeded"] == 1
    fleet.assert_settled()


def test_jobs_run_again_at_each_revision_or_each_apply_if_they_ask(fleet: Fleet) -> None:
    asking = {run: job("tool:1").replace("name: migrate", f"name: {run}") for run in ("revision", "apply")}
    asking = {
        run: text.replace("metadata:", f"metadata:\n  annotations: {{fleetmgr.dev/run: {run}}}", 1)
        for run, text in asking.items()
    }
    settings = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '%s'}}"
    fleet.apps = [fleet.app("web"), fleet.app("other")]
    fleet.save()
    fleet.manifests(settings=settings % 1, revision=asking["revision"])
    fleet.manifests("other", other=(settings % 1).replace("settings", "other"))
    fleet.apply()
    ran = uid(fleet, "job", "revision")
    fleet.manifests("other", other=(settings % 2).replace("settings", "other"))
    fleet.apply()
    assert uid(fleet, "job", "revision") == ran, "another app is no revision of this one"
    fleet.manifests(settings=settings % 2, revision=asking["revision"], apply=asking["apply"])
    assert fleet.apply().results() >= {("replace", "Job/revision", "done"), ("create", "Job/apply", "done")}
    after, each = fleet.get("job", "revision"), fleet.get("job", "apply")
    assert after["metadata"]["uid"] != ran
    assert after["status"]["succeeded"] == 1
    assert fleet.plan().ops() == {("replace", "Job/apply")}
    assert fleet.apply().results() == {("replace", "Job/apply", "done")}
    assert fleet.get("job", "apply")["metadata"]["uid"] != each["metadata"]["uid"]
    assert uid(fleet, "job", "revision") == after["metadata"]["uid"]


def test_a_job_that_cannot_start_is_replaced_at_once(fleet: Fleet) -> None:
    fleet.manifests(job=job("tool:1", nodeSelector={"nowhere": "true"}))
    fleet.apply("--no-wait")
    eventually(lambda: fleet.get("job", "migrate").get("status", {}).get("active") == 1)
    fleet.manifests(job=job("tool:1"))
    assert fleet.apply("--timeout", "50s").results() == {("replace", "Job/migrate", "done")}
    owners = {
        o["metadata"]["ownerReferences"][0]["uid"]
        for o in fleet.everything("pods").values()
        if not o["metadata"].get("deletionTimestamp")
    }
    assert owners == {uid(fleet, "job", "migrate")}


def test_a_successor_that_is_refused_leaves_the_object_alone(fleet: Fleet) -> None:
    fleet.manifests(web=deployment("web"))
    fleet.apply("--no-wait")
    before = uid(fleet, "deployment", "web")
    fleet.manifests(web=deployment("shop").replace("image: web:1", "image: ''"))
    for force in ((), ("--force",)):
        change = fleet.plan(*force, code=1).change("Deployment/web")
        assert change["op"] == "denied"
    assert "a new one is refused" in change["reason"]
    assert "image: Required value" in change["reason"]
    fleet.apply("--force", "--no-wait", code=1)
    assert uid(fleet, "deployment", "web") == before


def test_a_transition_rule_of_a_crd_says_immutable(fleet: Fleet) -> None:
    kind = f"Seat{fleet.ns[1:]}"
    plural = kind.lower() + "s"
    rule = {"rule": "self == oldSelf", "message": "row is immutable"}
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"row": {"type": "string", "x-kubernetes-validations": [rule]}},
            }
        },
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": plural, "kind": kind}
    spec = {"group": "replace.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    definition = manifest(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.replace.example.com", spec
    )
    fleet.manifests(crd=definition, seat=manifest("replace.example.com/v1", kind, "mine", {"row": "a"}))
    try:
        fleet.apply()
        fleet.manifests(crd=definition, seat=manifest("replace.example.com/v1", kind, "mine", {"row": "b"}))
        assert fleet.plan(code=1).change(f"{kind}/mine")["immutable"] == ["/spec/row"]
        assert fleet.apply("--force").results() == {("replace", f"{kind}/mine", "done")}
        fleet.assert_settled()
    finally:
        fleet.kubectl("delete", "crd", f"{plural}.replace.example.com", "--wait=false", "--ignore-not-found")


def test_killed_after_the_deletion_the_next_run_creates(fleet: Fleet) -> None:
    fleet.manifests(web=deployment("web"))
    fleet.apply("--no-wait")
    patch = json.dumps({"metadata": {"finalizers": ["example.com/hold"]}})
    fleet.kubectl("patch", "deployment", "web", "--type=merge", "-p", patch)
    fleet.manifests(web=deployment("shop"))
    process = fleet.start("apply", "--yes", "--force", "--no-wait")
    eventually(lambda: "deletionTimestamp" in fleet.get("deployment", "web")["metadata"])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    fleet.kubectl("patch", "deployment", "web", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    eventually(lambda: not fleet.get("deployment", "web"))
    assert fleet.plan().ops() == {("create", "Deployment/web")}
    fleet.apply("--no-wait")
    assert fleet.get("deployment", "web")["spec"]["selector"] == {"matchLabels": {"app": "shop"}}
    fleet.assert_settled()
