"""What of an old and a new object is comparable, and how the old one goes."""

from __future__ import annotations

from typing import Any

from fleetmgr.engine.immutable import JOB, STATEFUL_SET
from fleetmgr.engine.recreated import SERVICE, at_work, comparable, cost, propagation
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.replacement import Propagation

CLAIM = GroupKind("", "PersistentVolumeClaim")
OWN = {"batch.kubernetes.io/controller-uid": "u", "controller-uid": "u", "job-name": "x-rehearsal"}


def job(name: str, labels: dict[str, str], **spec: Any) -> dict[str, Any]:
    template: dict[str, Any] = {"metadata": {"labels": labels}, "spec": {}} if labels else {"spec": {}}
    return {
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {"template": template, **spec},
    }


def test_what_the_job_controller_writes_is_no_difference() -> None:
    desired = job("x", {"app": "x"})
    selector = {"matchLabels": {"controller-uid": "u"}}
    answer = job("x-rehearsal", {"app": "x", **OWN}, selector=selector)
    assert comparable(answer, desired) == desired
    mine = job("x", {"app": "x"}, manualSelector=True, selector=selector)
    assert comparable({**mine, "metadata": {"name": "y"}}, mine)["spec"] == mine["spec"]


def test_addresses_of_a_service_that_git_does_not_name_are_no_difference() -> None:
    spec = {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 80, "nodePort": 30001}]}
    live = {"kind": "Service", "metadata": {"name": "x"}, "spec": spec}
    desired: dict[str, Any] = {
        "kind": "Service",
        "metadata": {"name": "x"},
        "spec": {"ports": [{"port": 80}]},
    }
    assert comparable(live, desired)["spec"] == {"ports": [{"port": 80}]}
    named = {**desired, "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30001}]}}
    assert comparable(live, named)["spec"]["clusterIP"] == "10.0.0.1"
    assert comparable(live, named)["spec"]["ports"] == spec["ports"]
    assert cost(SERVICE, live, desired) == "it gets another cluster IP"
    assert cost(SERVICE, live, named) == ""


def test_pods_of_a_stateful_set_stay_as_long_as_they_are_selected() -> None:
    live: dict[str, Any] = {"spec": {"selector": {"matchLabels": {"app": "x"}}, "serviceName": "a"}}
    same = {"spec": {**live["spec"], "serviceName": "b"}}
    other = {"spec": {"selector": {"matchLabels": {"app": "y"}}}}
    assert propagation(STATEFUL_SET, live, same) is Propagation.ORPHAN
    assert propagation(STATEFUL_SET, live, other) is Propagation.BACKGROUND
    assert "stay" in cost(STATEFUL_SET, live, same)
    assert cost(STATEFUL_SET, live, other) == "all its pods are deleted; its claims stay"
    live["spec"]["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": "Delete"}
    assert cost(STATEFUL_SET, live, other) == "all its pods are deleted; its claims are deleted with it"


def test_a_job_goes_with_its_pods_and_everything_else_at_once() -> None:
    assert propagation(JOB, {}, {}) is Propagation.FOREGROUND
    assert propagation(CLAIM, {}, {}) is Propagation.BACKGROUND
    assert "data is lost" in cost(CLAIM, {}, {})


def test_a_job_is_at_work_while_a_pod_of_it_is_ready() -> None:
    assert at_work({"status": {"active": 1, "ready": 1}})
    assert not at_work({"status": {"active": 1, "ready": 0}})
    assert not at_work({"status": {"succeeded": 1}})
    assert not at_work({})


def test_what_controllers_note_on_an_object_is_no_difference() -> None:
    noted = {"deployment.kubernetes.io/revision": "3", "team": "shop"}
    live = {"kind": "Deployment", "metadata": {"name": "x", "annotations": noted}, "spec": {}}
    desired: dict[str, Any] = {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {}}
    assert comparable(live, desired)["metadata"]["annotations"] == {"team": "shop"}
    mine = {**desired, "metadata": {"name": "x", "annotations": noted}}
    assert comparable(live, mine)["metadata"]["annotations"] == noted
