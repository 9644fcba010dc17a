"""Objects whose immutable fields change: what the plan says, and that nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Change, Op
from fleetmgr.model.event import Waiting
from fleetmgr.model.policy import Replace
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError, ObjectInvalid, Unreachable
from fleetmgr.reporting.plan_data import change_data
from tests.operations.worlds import App, World, config, outcomes

ALWAYS = {"replace": Replace.ALWAYS}


def deployment(app: str = "web", image: str = "web:1", **annotations: str) -> str:
    labels = {"app": app}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return manifest("apps/v1", "Deployment", "web", spec, **annotations)


def stateful_set(service: str = "db", app: str = "db", **annotations: str) -> str:
    labels = {"app": app}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "db:1"}]}}
    spec = {"serviceName": service, "selector": {"matchLabels": labels}, "template": template}
    return manifest("apps/v1", "StatefulSet", "db", spec, **annotations)


def claim(storage_class: str, **annotations: str) -> str:
    spec = {"storageClassName": storage_class, "accessModes": ["ReadWriteOnce"]}
    return manifest("v1", "PersistentVolumeClaim", "data", spec, **annotations)


def job(image: str, **annotations: str) -> str:
    spec = {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}
    return manifest("batch/v1", "Job", "migrate", spec, **annotations)


def manifest(api_version: str, kind: str, name: str, spec: dict[str, Any], **annotations: str) -> str:
    metadata: dict[str, Any] = {"name": name}
    if annotations:
        metadata["annotations"] = {f"fleetmgr.dev/{key}": value for key, value in annotations.items()}
    return yaml.safe_dump({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec})


def world(first: str, then: str, **policy: Any) -> World:
    """``first`` has been applied, ``then`` is in Git."""
    made = World()
    made.apps["web"] = App(manifests=[first], policy_more=policy)
    assert made.apply(wait=False).exit_code is ExitCode.OK
    made.apps["web"] = App(manifests=[then], policy_more=policy)
    made.forget_log()
    return made


def only(made: World) -> Change:
    (change,) = [c for c in made.plan().changes if c.op is not Op.KEEP]
    return change


def test_a_selector_that_changes_asks_first() -> None:
    made = world(deployment("web"), deployment("shop"))
    change = only(made)
    assert change.op is Op.DENIED
    assert change.reason is not None
    assert change.reason.startswith(
        "spec.selector cannot be changed in place; to delete and create it again:"
    )
    assert "fleet apply --force" in change.reason
    assert "replace: always" in change.reason
    assert change_data(change)["immutable"] == ["/spec/selector"]
    report = made.apply()
    assert outcomes(report) == {"Deployment/web": "failed"}
    assert made.cluster.written() == []


def test_always_replaces_and_the_plan_shows_the_new_object() -> None:
    made = world(deployment("web"), deployment("shop", image="web:2"), **ALWAYS)
    uid = made.cluster.body("Deployment", "shop", "web")["metadata"]["uid"]  # type: ignore[index]
    change = only(made)
    assert change.op is Op.REPLACE
    assert not change.forced
    assert {d.path for d in change.diff} == {
        "/spec/selector/matchLabels/app",
        "/spec/template/metadata/labels/app",
        "/spec/template/spec/containers/[name=main]/image",
    }
    assert change.result is not None
    assert change.result["metadata"]["name"] == "web"
    assert made.apply().exit_code is ExitCode.OK
    assert [w for w in made.cluster.log if "Deployment" in w[1]] == [
        ("delete", "Deployment/web"),
        ("apply", "Deployment/web"),
    ]
    after = made.cluster.body("Deployment", "shop", "web")
    assert after is not None
    assert after["metadata"]["uid"] != uid
    assert after["spec"]["selector"] == {"matchLabels": {"app": "shop"}}
    assert made.ops() == set()


def test_force_replaces_what_asks_and_says_so() -> None:
    made = world(deployment("web"), deployment("shop"))
    made.force = True
    change = only(made)
    assert (change.op, change.forced) == (Op.REPLACE, True)
    assert change_data(change)["forced"] is True
    assert made.apply().exit_code is ExitCode.OK
    made.force = False
    assert made.ops() == set()


@pytest.mark.parametrize("policy", [{"replace": Replace.NEVER}, {}])
def test_never_holds_against_force(policy: dict[str, Any]) -> None:
    annotations = {} if policy else {"replace": "never"}
    made = world(deployment("web", **annotations), deployment("shop", **annotations), **policy)
    made.force = True
    change = only(made)
    assert change.op is Op.DENIED
    assert "never forbids to replace it" in str(change.reason)


def test_an_annotation_lets_one_object_be_replaced() -> None:
    made = world(deployment("web", replace="always"), deployment("shop", replace="always"))
    assert made.ops() == {("replace", "Deployment/web")}


def test_data_needs_more_than_a_policy() -> None:
    for first, then in ((claim("fast"), claim("slow")), (stateful_set("a"), stateful_set("b"))):
        made = world(first, then, **ALWAYS)
        change = only(made)
        assert change.op is Op.DENIED
        assert "(replace: always is not enough)" in str(change.reason)
        made.force = True
        assert only(made).op is Op.REPLACE
    made = world(claim("fast", replace="always"), claim("slow", replace="always"))
    change = only(made)
    assert change.op is Op.REPLACE
    assert "its data is lost" in str(change.reason)


def test_pods_of_a_stateful_set_are_taken_over() -> None:
    made = world(stateful_set("a"), stateful_set("b"))
    owner = made.cluster.body("StatefulSet", "shop", "db")
    assert owner is not None
    reference = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": "db",
        "uid": owner["metadata"]["uid"],
    }
    pod = {"name": "db-0", "namespace": "shop", "ownerReferences": [reference]}
    made.cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": pod})
    made.force = True
    assert "its pods and claims stay" in str(only(made).reason)
    assert made.apply(wait=False).exit_code is ExitCode.OK
    assert made.cluster.body("Pod", "shop", "db-0") is not None


def test_a_new_object_that_would_be_refused_keeps_the_old_one() -> None:
    made = world(deployment("web"), deployment("shop", image=""), **ALWAYS)
    change = only(made)
    assert change.op is Op.DENIED
    assert "a new one is refused: spec.template.spec.containers[0].image: Required value" in str(
        change.reason
    )


def test_what_became_unacceptable_after_the_plan_is_not_deleted() -> None:
    made = world(deployment("web"), deployment("shop"), **ALWAYS)
    scene = made.scene()
    plan = made.plan()
    made.cluster.fault = refusing_creation
    report = made.perform(scene, plan)
    assert outcomes(report) == {"Deployment/web": "failed"}
    (problem,) = [r.problem for r in report.results if r.problem]
    assert problem.code == "FLT-2022"
    assert "policy says no" in problem.message
    assert not [w for w in made.cluster.log if w[0] == "delete"]


def refusing_creation(verb: str, resource: ApiResource | None) -> ClusterError | None:
    if verb == "patch" and resource is not None and resource.kind == "Deployment":
        return ObjectInvalid("policy says no", cluster="dev-1", status=403, reason="Forbidden")
    return None


def test_an_unreadable_answer_never_deletes() -> None:
    made = world(deployment("web"), deployment("shop"), **ALWAYS)
    scene, plan = made.scene(), made.plan()

    def forbidden(verb: str, resource: ApiResource | None) -> ClusterError | None:
        of_ours = verb == "patch" and resource is not None and resource.kind == "Deployment"
        return AccessDenied("cannot patch", cluster="dev-1") if of_ours else None

    made.cluster.fault = forbidden
    report = made.perform(scene, plan)
    assert outcomes(report)["Deployment/web"] == "failed"
    assert not [w for w in made.cluster.log if w[0] == "delete"]


def test_an_object_that_changed_since_the_plan_is_not_deleted() -> None:
    made = world(deployment("web"), deployment("shop"), **ALWAYS)
    scene, plan = made.scene(), made.plan()
    made.cluster.edit(
        "Deployment", "shop", "web", {"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}}
    )
    report = made.perform(scene, plan)
    assert report.exit_code is ExitCode.STALE
    assert not [w for w in made.cluster.log if w[0] == "delete"]


def test_a_finalizer_is_waited_for_and_named() -> None:
    made = world(deployment("web"), deployment("shop"), **ALWAYS)
    made.cluster.edit("Deployment", "shop", "web", {"metadata": {"finalizers": ["example.com/hold"]}})
    report = made.apply(timeout=5)
    assert report.exit_code is ExitCode.TIMEOUT
    (problem,) = [r.problem for r in report.results if r.problem]
    assert problem.code == "FLT-2020"
    assert "example.com/hold" in problem.message
    assert ("denied", "Deployment/web") in made.ops()
    made.cluster.finalize("Deployment", "shop", "web")
    assert made.ops() == {("create", "Deployment/web")}
    assert made.apply().exit_code is ExitCode.OK
    assert made.ops() == set()


def test_killed_between_delete_and_create_the_next_run_creates() -> None:
    made = world(deployment("web"), deployment("shop"), **ALWAYS)

    def dies(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "Deployment/web"):
            raise Unreachable("connection reset", cluster="dev-1")

    made.cluster.before = dies
    assert made.apply().exit_code is ExitCode.PARTIAL
    assert made.cluster.body("Deployment", "shop", "web") is None
    made.cluster.before = None
    assert made.ops() == {("create", "Deployment/web")}
    assert made.apply().exit_code is ExitCode.OK
    assert made.ops() == set()


def test_a_job_is_replaced_without_being_asked() -> None:
    made = world(job("app:1"), job("app:2"))
    change = only(made)
    assert change.op is Op.REPLACE
    assert change.replacement is not None
    assert change.replacement.propagation.value == "Foreground"
    assert made.apply().exit_code is ExitCode.OK
    assert made.ops() == set()


def test_a_job_at_work_is_let_finish() -> None:
    made = world(job("app:1"), job("app:2"))
    at_work = {"status": {"active": 1, "ready": 1}}
    made.cluster.edit("Job", "shop", "migrate", at_work, manager="kube-controller-manager")
    made.clock.works = False  # type: ignore[attr-defined]
    assert "waits until it has finished" in str(only(made).reason)
    report = made.apply(timeout=3)
    assert report.exit_code is ExitCode.TIMEOUT
    (problem,) = [r.problem for r in report.results if r.problem]
    assert problem.code == "FLT-2021"
    assert not [w for w in made.cluster.log if w[0] == "delete"]
    assert any(isinstance(e, Waiting) and "is at work" in e.message for e in made.events)
    made.clock.works = True  # type: ignore[attr-defined]
    assert made.apply().exit_code is ExitCode.OK
    made.cluster.edit("Job", "shop", "migrate", at_work, manager="kube-controller-manager")
    made.apps["web"] = App(manifests=[job("app:3")])
    made.force = True
    assert "it is at work: stopped" in str(only(made).reason)


def test_an_object_of_somebody_else_is_never_replaced() -> None:
    made = World()
    made.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    foreign = yaml.safe_load(deployment("other"))
    foreign["metadata"]["namespace"] = "shop"
    made.cluster.create(foreign)
    made.apps["web"] = App(manifests=[deployment("web")], policy_more=ALWAYS, more={"adopt": True})
    made.force = True
    change = only(made)
    assert change.op is Op.DENIED
    assert "what is not ours yet is never deleted" in str(change.reason)


def test_other_objects_of_the_app_go_on_as_planned() -> None:
    made = World()
    made.apps["web"] = App(manifests=[deployment("web"), config("a")], policy_more=ALWAYS)
    made.apply(wait=False)
    made.apps["web"] = App(manifests=[deployment("shop"), config("a", a="2")], policy_more=ALWAYS)
    assert made.ops() == {("replace", "Deployment/web"), ("update", "ConfigMap/a")}
    assert made.apply().exit_code is ExitCode.OK
    assert made.ops() == set()
