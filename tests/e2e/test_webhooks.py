"""Real admission webhooks, namespaces that do not go, and CRDs with their objects in one plan."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.admission import Admission, configuration, eventually, patching, register
from tests.e2e.fleets import Fleet, paths

pytestmark = pytest.mark.e2e

SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '%s'}}"


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Iterator[Fleet]:
    """One cluster, app ``web``; its webhooks go with it."""
    made = fleets()
    made.save()
    yield made
    for kind in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
        made.kubectl("delete", kind, made.ns, "--ignore-not-found")


def applied(fleet: Fleet, value: str = "1") -> None:
    fleet.manifests(settings=SETTINGS % value)
    fleet.apply()


def test_a_denial_is_shown_with_its_words_and_never_tried_again(fleet: Fleet, admission: Admission) -> None:
    applied(fleet)
    asked: list[str] = []

    def deny(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["name"])
        return {"allowed": False, "status": {"code": 403, "message": "settings are frozen until Monday"}}

    register(fleet, admission, "Validating")
    admission.answer = deny
    fleet.manifests(settings=SETTINGS % "2")
    change = fleet.plan(code=1).change("ConfigMap/settings")
    assert change["op"] == "denied"
    assert "settings are frozen until Monday" in change["reason"]
    assert asked == ["settings"]
    assert "settings are frozen until Monday" in fleet.apply(code=1).text
    assert fleet.get("configmap", "settings")["data"] == {"a": "1"}


def test_a_mutation_is_planned_and_does_not_come_back(fleet: Fleet, admission: Admission) -> None:
    applied(fleet)
    register(fleet, admission, "Mutating")
    admission.answer = patching({"op": "add", "path": "/metadata/labels/injected", "value": "yes"})
    fleet.assert_settled()
    fleet.manifests(settings=SETTINGS % "2")
    change = fleet.plan().change("ConfigMap/settings")
    assert set(paths(change)) == {"/data/a", "/metadata/labels/injected"}
    fleet.apply()
    assert fleet.get("configmap", "settings")["metadata"]["labels"]["injected"] == "yes"
    fleet.assert_settled()
    fleet.manifests(settings=SETTINGS % "3")
    assert paths(fleet.plan().change("ConfigMap/settings")) == ["/data/a"]


def test_a_mutation_of_what_git_says_is_no_endless_change(fleet: Fleet, admission: Admission) -> None:
    fleet.manifests(settings=SETTINGS % "0")
    fleet.apply()
    register(fleet, admission, "Mutating")
    admission.answer = patching({"op": "replace", "path": "/data/a", "value": "theirs"})
    fleet.manifests(settings=SETTINGS % "1")
    change = fleet.plan().change("ConfigMap/settings")
    assert change["diff"] == [{"path": "/data/a", "old": "0", "new": "theirs"}]
    fleet.apply()
    assert fleet.get("configmap", "settings")["data"] == {"a": "theirs"}
    fleet.assert_settled()


def test_a_webhook_that_does_not_answer_leaves_the_plan_unverified(
    fleet: Fleet, admission: Admission
) -> None:
    fleet.apps = [fleet.app("web", retry={"limit": 1, "backoff": "10ms"})]
    fleet.save()
    fleet.defaults = {"retry": {"limit": 0}}
    fleet.save()
    applied(fleet)
    register(fleet, admission, "Validating")
    released = threading.Event()
    admission.answer = lambda request: {"allowed": released.wait(20) and bool(request)}
    fleet.assert_settled()
    fleet.manifests(settings=SETTINGS % "2")
    answer = fleet.plan()
    change = answer.change("ConfigMap/settings")
    assert (change["op"], change["unverified"]) == ("update", True)
    assert "check.example.com" in change["reason"]
    assert change["diff"] == [{"path": "/data/a", "old": "1", "new": "2"}]
    failed = fleet.apply(code=1)
    assert "webhook check.example.com did not answer within 1s" in failed.text
    assert "FLT-2060" in failed.text
    assert fleet.get("configmap", "settings")["data"] == {"a": "1"}
    released.set()
    fleet.apply()
    fleet.assert_settled()


def test_a_webhook_that_fails_for_a_while_is_asked_again_as_often_as_the_fleet_says(
    fleet: Fleet, admission: Admission
) -> None:
    fleet.defaults = {"retry": {"limit": 3, "backoff": "10ms", "factor": 1}}
    fleet.apps = [fleet.app("web", retry={"limit": 2})]
    fleet.save()
    applied(fleet)
    register(fleet, admission, "Validating")
    asked: list[str] = []
    failing = 2

    def fail(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["dryRun"]:
            return {"allowed": True}
        asked.append(request["name"])
        return None if len(asked) <= failing else {"allowed": True}

    admission.answer = fail
    fleet.manifests(settings=SETTINGS % "2")
    assert ("update", "ConfigMap/settings", "done") in fleet.apply().results()
    assert asked == ["settings"] * 3
    fleet.assert_settled()

    asked.clear()
    failing = 100
    fleet.manifests(settings=SETTINGS % "3")
    assert "check.example.com" in fleet.apply(code=1).text
    assert asked == ["settings"] * 3, "the app allows two more"
    fleet.apps = [fleet.app("web", retry={"limit": 0})]
    fleet.save()
    asked.clear()
    fleet.apply(code=1)
    assert asked == ["settings"]
    assert fleet.get("configmap", "settings")["data"] == {"a": "2"}


def test_a_webhook_of_another_app_in_the_same_plan_sees_what_it_is_for(
    fleet: Fleet, admission: Admission
) -> None:
    asked: list[tuple[str, bool]] = []

    def label(request: dict[str, Any]) -> dict[str, Any]:
        asked.append((request["name"], bool(request["dryRun"])))
        return patching({"op": "add", "path": "/metadata/labels/injected", "value": "yes"})(request)

    admission.answer = label
    fleet.apps = [fleet.app("web"), fleet.app("zoo")]
    fleet.save()
    fleet.manifests("web", settings=SETTINGS % "1")
    fleet.manifests("zoo", hook=yaml.safe_dump(configuration(fleet, admission, "Mutating")))
    answer = fleet.plan()
    change = answer.change("ConfigMap/settings")
    assert (change["op"], change["unverified"]) == ("create", True)
    assert "webhook check.example.com of this plan may change or refuse it" in change["reason"]
    assert "check.example.com" in fleet.run("plan").out
    fleet.apply()
    assert ("settings", False) in asked
    assert fleet.get("configmap", "settings")["metadata"]["labels"]["injected"] == "yes"
    fleet.assert_settled()
    fleet.manifests("web", settings=SETTINGS % "2")
    assert "unverified" not in fleet.plan().change("ConfigMap/settings")


def test_a_namespace_that_does_not_go_is_denied_and_the_others_go_on(fleet: Fleet) -> None:
    other = f"{fleet.ns}-other"
    fleet.namespaces.add(other)
    fleet.apps.append({**fleet.app("api"), "namespace": other})
    fleet.save()
    held = "{apiVersion: v1, kind: ConfigMap, metadata: {name: held, finalizers: [example.com/hold]}}"
    fleet.manifests("web", settings=SETTINGS % "1")
    fleet.manifests("api", settings=SETTINGS % "1")
    fleet.apply()
    fleet.kubectl("create", "-f", "-", stdin=held)
    fleet.kubectl("delete", "namespace", fleet.ns, "--wait=false")
    try:
        eventually(
            lambda: "example.com/hold" in json.dumps(fleet.get("namespace", fleet.ns).get("status", {}))
        )
        eventually(lambda: not fleet.get("configmap", "settings"))
        fleet.manifests("api", settings=SETTINGS % "2")
        answer = fleet.plan(code=1)
        denied = next(c for c in answer.changes() if c["op"] == "denied")
        assert denied["object"]["namespace"] == fleet.ns
        assert f"namespace {fleet.ns} is being deleted" in denied["reason"]
        assert "NamespaceContentRemaining" in denied["reason"]
        assert "example.com/hold" in denied["reason"]
        fleet.apply(code=1)
        assert fleet.get("configmap", "settings", namespace=other)["data"] == {"a": "2"}
    finally:
        fleet.kubectl("patch", "configmap", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


def test_a_crd_and_its_objects_in_one_plan(fleet: Fleet) -> None:
    kind = f"Gear{fleet.ns[1:]}"
    plural, group = f"{kind.lower()}s", "sim.example.com"

    def write(spec: dict[str, Any], **properties: Any) -> None:
        inside = {
            "size": {"type": "string", "enum": ["s", "m"]},
            "mode": {"type": "string", "default": "auto"},
        }
        schema = {
            "type": "object",
            "properties": {
                "spec": {"type": "object", "required": ["size"], "properties": {**inside, **properties}}
            },
        }
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": plural, "kind": kind}
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }
        gear = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "mine"}, "spec": spec}
        fleet.manifests(crd=yaml.safe_dump(definition), gear=yaml.safe_dump(gear))

    try:
        write({"size": "xl", "colour": "red"})
        denied = fleet.plan(code=1).change(f"{kind}/mine")
        assert denied["op"] == "denied"
        assert "spec.size: Unsupported value" in denied["reason"]
        assert "spec.colour: field not declared in schema" in denied["reason"]
        write({"size": "s"})
        planned = fleet.plan().change(f"{kind}/mine")
        assert (planned["op"], planned["unverified"]) == ("create", True)
        assert "checked against its schema" in planned["reason"]
        assert "mode: auto" in fleet.run("diff").out
        fleet.apply()
        fleet.assert_settled()
        write({"size": "s", "colour": "red"}, colour={"type": "string"})
        planned = fleet.plan().change(f"{kind}/mine")
        assert (planned["op"], planned["unverified"]) == ("update", True)
        fleet.apply()
        assert fleet.get(f"{plural}.{group}", "mine")["spec"]["colour"] == "red"
        fleet.assert_settled()
    finally:
        fleet.kubectl("delete", "crd", f"{plural}.{group}", "--wait=false", "--ignore-not-found")


def test_a_dead_conversion_webhook_makes_a_kind_unreadable_and_never_empty(fleet: Fleet) -> None:
    """Git has left the object out and asks for another version: the list fails, so nothing is judged or pruned."""
    kind = f"Cog{fleet.ns[1:]}"
    plural, group = f"{kind.lower()}s", "conversion.example.com"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": v, "served": True, "storage": v == "v1", "schema": schema} for v in ("v1", "v2")]
    dead = {"clientConfig": {"url": "https://127.0.0.1:1/convert"}, "conversionReviewVersions": ["v1"]}
    spec = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": kind},
        "versions": versions,
        "conversion": {"strategy": "None"},
    }
    definition: dict[str, Any] = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": spec,
    }

    def cog(version: str, name: str) -> str:
        return f"{{apiVersion: {group}/{version}, kind: {kind}, metadata: {{name: {name}}}}}"

    fleet.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(definition))
    try:
        fleet.kubectl("wait", "--for=condition=Established", "crd", f"{plural}.{group}")
        fleet.manifests(one=cog("v1", "one"), two=cog("v1", "two"), settings=SETTINGS % "1")
        fleet.apply("--no-wait")
        definition["spec"] = {**spec, "conversion": {"strategy": "Webhook", "webhook": dead}}
        fleet.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(definition))
        fleet.manifests(one=cog("v2", "one"), settings=SETTINGS % "2")
        eventually(lambda: fleet.run("plan").code == 1)
        answer = fleet.apply("--max-deletes", "100%", code=1)
        (cluster,) = answer.data["clusters"]
        assert cluster["results"] == []
        assert "conversion webhook" in cluster["error"]["message"]
        assert fleet.get(f"{plural}.v1.{group}", "two") != {}
        assert fleet.get("configmap", "settings")["data"] == {"a": "1"}
    finally:
        fleet.kubectl("delete", "crd", f"{plural}.{group}", "--wait=false", "--ignore-not-found")
