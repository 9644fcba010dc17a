"""Every Resource is registered as it was declared."""

from __future__ import annotations

from fleetmgr.adapters.pulumi.program import Selection, register
from fleetmgr.engine.registering import registered as completed
from fleetmgr.model.resource import Resource, ResourceOptions, Stack
from fleetmgr.model.target import OwnedNamespace
from tests.adapters.pulumi.recording import registered
from tests.rendering.builders import render

FILES: dict[str, str | bytes] = {
    "web.yaml": """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 2
          template: {spec: {containers: [{name: a, image: "nginx:1"}]}}
        ---
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: web}
        spec: {maxReplicas: 3}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: token}
        stringData: {a: b}
        """,
    "widget.yaml": """\
        apiVersion: example.com/v1
        kind: Widget
        metadata: {name: w}
        spec: {empty: [], fraction: 0.5}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.com}
        spec: {group: example.com, names: {kind: Widget}, versions: [{name: v1}, {name: v1beta1}]}
        """,
}


def example() -> Stack:
    return completed(render(FILES, owned_namespace=OwnedNamespace()))


def test_requests_and_urns_are_those_of_the_stack() -> None:
    stack = example()
    requests = registered(
        lambda: register(Selection(stack=stack, context="kind")), project="shop", stack="dev-1"
    )
    for resource in stack.resources:
        request = requests.pop(resource.urn(project="shop", stack="dev-1"))
        assert request["type"] == resource.type
        assert request["name"] == resource.name
        assert request["object"] == resource.inputs
        assert request["parent"] == "urn:pulumi:dev-1::shop::fleetmgr:index:App::web"
        assert request["provider"].startswith(
            "urn:pulumi:dev-1::shop::pulumi:providers:kubernetes::kubernetes::"
        )
        assert request["version"]
        former = resource.former_urns(project="shop", stack="dev-1")
        assert [a["urn"] for a in request.get("aliases", [])] == list(former)
        expected = [
            by_id(stack, identity).urn(project="shop", stack="dev-1")
            for identity in resource.options.depends_on
        ]
        assert sorted(request.get("dependencies", [])) == sorted(expected)
        owner = resource.options.deleted_with
        assert request.get("deletedWith") == (
            by_id(stack, owner).urn(project="shop", stack="dev-1") if owner else None
        )
    assert {r["type"] for r in requests.values()} == {"fleetmgr:index:App", "pulumi:providers:kubernetes"}


def by_id(stack: Stack, identity: tuple[str, str]) -> Resource:
    return next(r for r in stack.resources if (r.type, r.name) == identity)


def test_the_provider_is_set_as_both_engines_need() -> None:
    requests = registered(
        lambda: register(Selection(stack=example(), context="kind", kubeconfig="/kube")),
        project="shop",
        stack="dev-1",
    )
    provider = requests["urn:pulumi:dev-1::shop::pulumi:providers:kubernetes::kubernetes"]
    assert provider["object"] == {
        "clusterIdentifier": "dev-1",
        "context": "kind",
        "kubeconfig": "/kube",
        "enableConfigMapMutable": "true",
        "enablePatchForce": "true",
        "enableSecretMutable": "true",
        "enableServerSideApply": "true",
        "upsertExistingObjects": "true",
    }


def test_an_hpa_keeps_its_identity_across_versions() -> None:
    requests = registered(lambda: register(Selection(stack=example())), project="shop", stack="dev-1")
    request = next(r for r in requests.values() if r["type"].endswith("HorizontalPodAutoscaler"))
    above = "urn:pulumi:dev-1::shop::fleetmgr:index:App$kubernetes:autoscaling"
    assert {a["urn"] for a in request["aliases"]} == {
        f"{above}/{v}:HorizontalPodAutoscaler::web/web" for v in ("v1", "v2beta1", "v2beta2")
    }


def test_all_options_reach_the_engine() -> None:
    resource = example().resources[0]
    options = ResourceOptions(protect=True, retain_on_delete=True, ignore_changes=("spec.replicas",))
    changed = Resource(
        type=resource.type,
        name=resource.name,
        inputs=resource.inputs,
        options=options,
        ref=resource.ref,
        app=resource.app,
        origin=resource.origin,
    )
    stack = example()
    only = Stack(fleet="shop", cluster="dev-1", environment="dev", apps=stack.apps, resources=(changed,))
    requests = registered(lambda: register(Selection(stack=only)), project="shop", stack="dev-1")
    request = requests[changed.urn(project="shop", stack="dev-1")]
    assert request["protect"] is True
    assert request["retainOnDelete"] is True
    assert request["ignoreChanges"] == ["spec.replicas"]
    assert request["deleteBeforeReplace"], "created first, the delete would take the object that was created"
