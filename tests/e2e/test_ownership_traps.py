"""Whose is it? What is ours is found, moved and pruned; what is not is never touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.fleets import Fleet, identity_of
from tests.e2e.test_engine_traps import CONFIG, DEPLOYMENT, OTHER

pytestmark = pytest.mark.e2e

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, app ``web``, prune on."""
    made = fleets()
    made.save()
    return made


def deployed(fleet: Fleet, **files: str) -> None:
    fleet.manifests(**files)
    fleet.commit()
    fleet.apply()
    fleet.assert_settled()


def test_two_fleets_that_want_one_object(fleets: Callable[..., Fleet]) -> None:
    first, second = fleets(), fleets()
    first.save()
    deployed(first, config=CONFIG)
    before = first.get("configmap", "settings")
    second.apps = [{**second.app("web"), "namespace": first.ns}]
    second.save()
    second.manifests(config=CONFIG.replace('"1"', '"9"'), other=OTHER)
    answer = second.plan(code=1)
    conflict = answer.change("ConfigMap/settings")
    assert conflict["op"] == "conflict"
    assert first.name in conflict["reason"]
    second.apply(code=1)
    assert first.get("configmap", "settings") == before
    first.assert_settled()


def test_a_foreign_object_is_a_conflict_and_other_apps_are_applied(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("api")]
    fleet.save()
    fleet.manifests("api", third=OTHER.replace("other", "third"))
    deployed(fleet, service=SERVICE)
    fleet.kubectl("create", "configmap", "settings", "--from-literal=a=theirs")
    before = fleet.get("configmap", "settings")
    fleet.manifests("web", service=SERVICE, config=CONFIG)
    fleet.manifests("api", third=OTHER.replace("other", "third"), other=OTHER)
    answer = fleet.apply(code=1)
    assert ("conflict", "ConfigMap/settings", "failed") in answer.results()
    assert ("create", "ConfigMap/other", "done") in answer.results()
    assert fleet.get("configmap", "settings") == before
    assert fleet.plan(code=1).ops() == {("conflict", "ConfigMap/settings")}
    fleet.kubectl("delete", "configmap", "settings")
    fleet.apply()
    fleet.assert_settled()


def test_an_object_moves_between_apps_alive(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("api")]
    fleet.save()
    fleet.manifests("api", other=OTHER)
    deployed(fleet, web=DEPLOYMENT, config=CONFIG)
    before = fleet.get("deployment", "web")["metadata"]["uid"]
    fleet.manifests("web", config=CONFIG)
    fleet.manifests("api", other=OTHER, web=DEPLOYMENT)
    answer = fleet.plan()
    change = answer.change("Deployment/web")
    assert (change["op"], change["app"]) == ("move", "api")
    assert "web" in change["reason"]
    fleet.apply("-a", "web")  # the app that lets go, alone: nothing is deleted
    assert fleet.get("deployment", "web")["metadata"]["uid"] == before
    fleet.apply()
    assert fleet.get("deployment", "web")["metadata"]["uid"] == before
    fleet.assert_settled()
    fleet.apps = [fleet.app("web")]
    fleet.save()
    assert fleet.plan().ops() == {("delete", "Deployment/web"), ("delete", "ConfigMap/other")}
    fleet.apply()
    assert fleet.records() == ["web"]


def test_copied_labels_prove_nothing(fleet: Fleet) -> None:
    deployed(fleet, service=SERVICE, config=CONFIG, other=OTHER)
    labels = fleet.get("configmap", "settings")["metadata"]["labels"]
    copied = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "copied", "labels": labels},
        "data": {"precious": "yes"},
    }
    endpoint_slice: dict[str, Any] = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "copied", "labels": labels},
        "addressType": "IPv4",
        "endpoints": [],
        "ports": [],
    }
    fleet.kubectl("create", "-f", "-", stdin=json.dumps(copied))
    fleet.kubectl("create", "-f", "-", stdin=json.dumps(endpoint_slice))
    fleet.kubectl("create", "configmap", "foreign", "--from-literal=a=b")
    before = fleet.everything("configmap", "endpointslice")
    fleet.manifests(service=SERVICE, config=CONFIG)
    assert fleet.plan().ops() == {("delete", "ConfigMap/other"), ("unproven", "ConfigMap/copied")}
    fleet.apply()
    after = fleet.everything("configmap", "endpointslice")
    assert before.keys() - after.keys() == {"ConfigMap/other"}
    assert all(after[name]["metadata"]["uid"] == before[name]["metadata"]["uid"] for name in after)
    assert fleet.plan().ops() == {("unproven", "ConfigMap/copied")}
    fleet.manifests(service=SERVICE, config=CONFIG, copied=CONFIG.replace("settings", "copied"))
    assert fleet.plan(code=1).change("ConfigMap/copied")["op"] == "conflict"
    assert fleet.get("configmap", "copied")["data"] == {"precious": "yes"}


def test_an_object_that_will_not_go_is_reported_and_stays_known(fleet: Fleet) -> None:
    deployed(fleet, config=CONFIG, other=OTHER)
    fleet.kubectl("patch", "configmap", "other", "-p", '{"metadata": {"finalizers": ["example.com/hold"]}}')
    fleet.kubectl("delete", "configmap", "other", "--wait=false")
    change = fleet.plan(code=1).change("ConfigMap/other")
    assert change["op"] == "denied"
    assert "example.com/hold" in change["reason"]
    release = ("patch", "configmap", "other", "--type=merge", '-p={"metadata": {"finalizers": null}}')
    fleet.kubectl(*release)
    fleet.apply()
    fleet.assert_settled()
    fleet.kubectl("patch", "configmap", "other", "-p", '{"metadata": {"finalizers": ["example.com/hold"]}}')
    fleet.apps = [fleet.app("rest")]
    fleet.save()
    fleet.manifests("rest", service=SERVICE)
    fleet.apply()
    answer = fleet.plan()  # asked to go, held by somebody else: told, not asked again, not forgotten
    assert answer.ops() == {("orphaned", "ConfigMap/other")}
    assert "example.com/hold" in answer.change("ConfigMap/other")["reason"]
    assert sorted(fleet.records()) == ["rest", "web"]
    fleet.kubectl(*release)
    fleet.apply()
    fleet.assert_settled()
    assert fleet.records() == ["rest"]


def test_without_prune_objects_are_orphaned_and_known_until_it_is_on(fleet: Fleet) -> None:
    fleet.prune = False
    fleet.save()
    deployed(fleet, config=CONFIG, service=SERVICE)
    fleet.manifests(config=CONFIG)
    answer = fleet.plan("--detailed-exitcode")
    assert answer.ops() == {("orphaned", "Service/web")}
    assert answer.data["summary"]["orphaned"] == 1
    fleet.apply()
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
    fleet.apply()
    assert fleet.get("service", "web")
    fleet.prune = True
    fleet.save()
    assert fleet.plan().ops() == {("delete", "Service/web")}
    fleet.apply()
    assert fleet.get("service", "web") == {}
    fleet.assert_settled()


def test_a_removed_app_takes_its_record_along(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("api")]
    fleet.save()
    fleet.manifests("api", other=OTHER)
    deployed(fleet, config=CONFIG)
    assert sorted(fleet.records()) == ["api", "web"]
    fleet.apps = [fleet.app("web")]
    fleet.save()
    before = fleet.everything("configmap")
    answer = fleet.plan()
    assert answer.ops() == {("delete", "ConfigMap/other")}
    fleet.apply("-a", "web")
    assert fleet.get("configmap", "other")
    fleet.apply()
    after = fleet.everything("configmap")
    assert before.keys() - after.keys() == {"ConfigMap/other"}
    assert fleet.records() == ["web"]


def test_a_selected_apply_prunes_nothing_of_others(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("api")]
    fleet.save()
    fleet.manifests("api", other=OTHER, service=SERVICE)
    deployed(fleet, config=CONFIG, third=CONFIG.replace("settings", "third"))
    before = fleet.everything("configmap", "service")
    fleet.manifests("api", service=SERVICE)
    fleet.manifests("web", config=CONFIG)
    fleet.apply("-a", "web")
    after = fleet.everything("configmap", "service")
    assert before.keys() - after.keys() == {"ConfigMap/third"}
    assert identity_of(after["ConfigMap/other"]) == identity_of(before["ConfigMap/other"])
    assert fleet.plan().ops() == {("delete", "ConfigMap/other")}


def test_drift_names_what_was_changed_and_by_whom(fleet: Fleet) -> None:
    deployed(fleet, web=DEPLOYMENT, service=SERVICE)
    fleet.kubectl("scale", "deployment", "web", "--replicas=3")
    fleet.kubectl("delete", "service", "web")
    fleet.manifests(web=DEPLOYMENT, service=SERVICE, config=CONFIG)  # wanted anew: no drift
    answer = fleet.run("drift", "-o", "json", "--detailed-exitcode")
    assert answer.code == 2, answer.text
    assert answer.ops() == {("update", "Deployment/web"), ("create", "Service/web")}
    assert "kubectl" in answer.change("Deployment/web")["writer"]
    assert [d["path"] for d in answer.change("Deployment/web")["diff"]] == ["/spec/replicas"]
    fleet.apply()
    assert fleet.get("deployment", "web")["spec"]["replicas"] == 1
    assert fleet.get("service", "web")
    fleet.assert_settled()


def test_a_label_taken_off_is_drift_and_a_replaced_object_is_a_conflict(fleet: Fleet) -> None:
    deployed(fleet, config=CONFIG, other=OTHER)
    before = fleet.get("configmap", "settings")["metadata"]["uid"]
    fleet.kubectl("label", "configmap", "settings", "applyset.kubernetes.io/part-of-")
    answer = fleet.run("drift", "-o", "json")
    assert answer.ops() == {("update", "ConfigMap/settings")}, answer.text
    fleet.apply()
    fleet.assert_settled()
    assert fleet.get("configmap", "settings")["metadata"]["uid"] == before
    # every field of ours replaced: nothing proves any more that it was ours
    fleet.kubectl("replace", "-f", "-", stdin=OTHER.replace('"1"', '"by hand"'))
    change = fleet.plan(code=1).change("ConfigMap/other")
    assert change["op"] == "conflict"
    assert "kubectl-replace" in change["reason"]
    fleet.apply(code=1)
    assert fleet.get("configmap", "other")["data"] == {"a": "by hand"}
