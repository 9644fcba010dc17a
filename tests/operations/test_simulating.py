"""Custom resources whose CRD is in the same plan, and namespaces that are being deleted."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from fleetmgr.model.change import Change, Op
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import ClusterError, ObjectInvalid
from tests.engine.gizmos import DEFINITION, gizmo
from tests.operations.worlds import App, World, config


def world(*manifests: dict[str, Any]) -> World:
    made = World()
    made.apps["web"] = App(manifests=[yaml.safe_dump(m) for m in manifests])
    return made


def the_gizmo(made: World) -> Change:
    (change,) = [c for c in made.plan().changes if c.ref.kind == "Gizmo"]
    return change


def test_an_object_of_a_coming_crd_is_checked_against_its_schema() -> None:
    change = the_gizmo(world(DEFINITION, gizmo({"spec": {"size": "s"}})))
    assert (change.op, change.unverified) == (Op.CREATE, True)
    assert change.reason == "its CRD is created by this plan; checked against its schema"
    assert change.result is not None
    assert change.result["spec"] == {"size": "s", "mode": "auto", "nest": {"x": 3}}


def test_what_the_schema_does_not_allow_is_denied_before_anything_is_written() -> None:
    change = the_gizmo(world(DEFINITION, gizmo({"spec": {"size": "s", "foo": 1, "count": 9}})))
    assert change.op is Op.DENIED
    assert "spec.foo: field not declared in schema" in str(change.reason)
    assert "spec.count: 9 should be less than or equal to 5" in str(change.reason)
    other = {**gizmo({"spec": {"size": "s"}}), "apiVersion": "sim.example.com/v0"}
    change = the_gizmo(world(DEFINITION, other))
    assert change.op is Op.DENIED
    assert change.reason == "its CRD in this plan does not serve v0"


def test_a_field_that_the_changed_crd_brings_is_no_mistake() -> None:
    made = world(DEFINITION, gizmo({"spec": {"size": "s"}}))
    made.apply()
    changed = copy.deepcopy(DEFINITION)
    schema = changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["colour"] = {"type": "string"}
    new = gizmo({"spec": {"size": "s", "colour": "red"}})
    made.apps["web"] = App(manifests=[yaml.safe_dump(m) for m in (changed, new)])

    def strict(verb: str, resource: ApiResource | None) -> ClusterError | None:
        of_gizmos = verb == "patch" and resource is not None and resource.kind == "Gizmo"
        message = "failed to create typed patch object: .spec.colour: field not declared in schema"
        return ObjectInvalid(message, cluster="dev-1", status=500) if of_gizmos else None

    made.cluster.fault = strict
    change = the_gizmo(made)
    assert (change.op, change.unverified) == (Op.UPDATE, True)
    assert change.reason == "its CRD changes with this plan; checked against its schema"
    made.apps["web"] = App(manifests=[yaml.safe_dump(m) for m in (DEFINITION, new)])
    change = the_gizmo(made)
    assert change.op is Op.DENIED
    assert "field not declared" in str(change.reason)


def test_a_kind_of_a_coming_api_service_is_marked() -> None:
    service: dict[str, Any] = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.sim.example.com"},
        "spec": {
            "group": "sim.example.com",
            "version": "v1",
            "groupPriorityMinimum": 1,
            "versionPriority": 1,
        },
    }
    change = the_gizmo(world(service, gizmo({"spec": {}})))
    assert (change.op, change.unverified) == (Op.CREATE, True)
    assert change.reason == "its APIService comes with this plan"


def test_a_namespace_that_is_being_deleted_is_denied_with_what_holds_it() -> None:
    made = World()
    made.apps["web"] = App(manifests=[config("a")])
    made.apps["api"] = App(manifests=[config("b")], namespace="other")
    made.apply()
    made.cluster.remove("ConfigMap", "shop", "a")
    status = {
        "phase": "Terminating",
        "conditions": [
            {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "fine"},
            {
                "type": "NamespaceFinalizersRemaining",
                "status": "True",
                "message": "example.com/hold in 1 instance",
            },
        ],
    }
    made.cluster.edit("Namespace", "", "shop", {"status": status}, manager="kube-controller-manager")
    made.apps["api"] = App(manifests=[config("b", a="2")], namespace="other")

    made.cluster.leaving.add("shop")
    changes = {c.ref.name: c for c in made.plan().changes}
    assert changes["a"].op is Op.DENIED
    assert changes["a"].reason == (
        "namespace shop is being deleted (NamespaceFinalizersRemaining: example.com/hold in 1 instance)"
    )
    assert changes["b"].op is Op.UPDATE
    made.apply()
    assert made.cluster.body("ConfigMap", "other", "b")["data"] == {"a": "2"}  # type: ignore[index]
