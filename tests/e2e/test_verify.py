"""How much the server is asked, on a real control plane: everything, what may differ, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.admission import Admission, patching, register
from tests.e2e.fleets import Fleet, paths
from tests.e2e.test_ignored_and_conflicts import DEPLOYMENT, IMAGE_2

pytestmark = pytest.mark.e2e

SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: '%s'}}"


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Iterator[Fleet]:
    """One cluster, app ``web`` applied."""
    made = fleets()
    made.save()
    made.manifests(settings=SETTINGS % "1", web=DEPLOYMENT)
    made.apply("--no-wait")
    yield made
    made.kubectl("delete", "mutatingwebhookconfiguration", made.ns, "--ignore-not-found")


def test_everything_is_as_desired_and_only_who_asks_sees_what_admission_would_change(
    fleet: Fleet, admission: Admission
) -> None:
    assert fleet.plan("--verify", "always").ops() == set()
    register(fleet, admission, "Mutating")
    admission.answer = patching({"op": "add", "path": "/metadata/labels/injected", "value": "yes"})
    fleet.assert_settled()
    answer = fleet.plan("--verify", "always")
    assert (answer.ops(), answer.data["summary"]["noise"]) == (set(), 1)
    text = fleet.run("plan", "--verify", "always").out
    assert "No changes" in text
    assert "Noise: 1 object differs only by defaulting or admission; --show-noise lists it." in text
    change = fleet.plan("--verify", "always", "--show-noise").change("ConfigMap/settings")
    assert (change["op"], change["noise"], paths(change)) == (
        "keep",
        "admission",
        ["/metadata/labels/injected"],
    )
    assert "injected: yes" in fleet.run("plan", "--verify", "always", "--show-noise").out
    fleet.manifests(settings=SETTINGS % "2", web=DEPLOYMENT)
    fleet.apply("--no-wait")
    assert fleet.get("configmap", "settings")["metadata"]["labels"]["injected"] == "yes"
    assert fleet.plan("--verify", "always").data["summary"]["noise"] == 0
    admission.answer = lambda _: {"allowed": False, "status": {"code": 403, "message": "frozen"}}
    kept = fleet.plan("--verify", "always", "--show-unchanged").change("ConfigMap/settings")
    assert (kept["op"], kept["unverified"]) == ("keep", True)
    assert "frozen" in kept["reason"]
    assert "frozen" in fleet.run("plan", "--verify", "always").out


def test_who_may_only_read_plans_without_asking(fleet: Fleet) -> None:
    access = {**fleet.entries[0]["access"], "context": f"{fleet.sandbox.contexts[0]}-reader"}
    fleet.entries = [{**fleet.entries[0], "access": access}]
    fleet.save()
    fleet.manifests(settings=SETTINGS % "2", web=DEPLOYMENT.replace(*IMAGE_2))
    for verify in ("never", "auto", "always"):
        answer = fleet.plan("--verify", verify)
        assert answer.ops() == {("update", "ConfigMap/settings"), ("update", "Deployment/web")}
        assert all(change["unverified"] for change in answer.changes())
        assert ("not asked" in answer.text) == (verify == "never")
        assert paths(answer.change("ConfigMap/settings")) == ["/data/a"]
    assert "Unverified: 2 objects: the server was not asked" in fleet.run("plan", "--verify", "never").out


def test_a_field_that_git_stops_naming_is_reset_and_both_values_are_told(fleet: Fleet) -> None:
    fleet.manifests(settings=SETTINGS % "1", web=DEPLOYMENT.replace("  replicas: 5\n", ""))
    diff = fleet.plan().change("Deployment/web")["diff"]
    assert diff == [{"path": "/spec/replicas", "old": 5, "new": 1, "reset": True}]
    assert "spec.replicas: 5 -> 1 (reset to default)" in fleet.run("plan").out
    fleet.apply("--no-wait")
    assert fleet.get("deployment", "web")["spec"]["replicas"] == 1
    fleet.assert_settled()


def test_live_fields_that_are_not_in_git_are_listed_with_who_set_them(fleet: Fleet) -> None:
    quiet = fleet.plan("--extra-fields").changes()
    revision = "/metadata/annotations/deployment.kubernetes.io~1revision"  # noted by its controller
    assert {field["path"] for change in quiet for field in change["extra"]} <= {revision}
    fleet.kubectl("patch", "deployment", "web", "--type=merge", "-p", '{"spec": {"minReadySeconds": 7}}')
    fleet.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data": {"b": "2"}}')
    answer = fleet.plan("--extra-fields", "--detailed-exitcode")
    (settings,) = answer.change("ConfigMap/settings")["extra"]
    assert (settings["path"], settings["value"], settings["manager"]) == ("/data/b", "2", "kubectl-patch")
    assert settings["since"]
    web = {field["path"]: field for field in answer.change("Deployment/web")["extra"]}
    assert web["/spec/minReadySeconds"]["value"] == 7
    assert all(field.get("manager") for field in web.values()), "known defaults are left out"
    assert "data.b is live and not in Git" in fleet.run("plan", "--extra-fields").out
    assert answer.data["summary"]["update"] == 0
