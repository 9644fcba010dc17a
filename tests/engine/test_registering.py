"""What is registered with Pulumi: order, names, and what a plain `pulumi up` must never delete."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.engine.register_order import dependencies
from fleetmgr.engine.registering import (
    BEYOND_PULUMI,
    ONE_OBJECT_TWICE,
    beyond_pulumi,
    registered,
)
from fleetmgr.errors import InvalidInput
from fleetmgr.model.objects import GroupKind, ObjectRef, Origin
from fleetmgr.model.policy import IgnoreRule, OnConflict, OnRemove, Policy, Prune
from fleetmgr.model.resource import Resource, ResourceOptions, Stack, StackApp
from fleetmgr.model.served import Served, ServedKind
from fleetmgr.model.urn import app_urn, provider_urn, stack_urn, urn
from fleetmgr.rendering.identity import resource_name, type_aliases, type_token
from tests.rendering.builders import render

DELETE = Policy(prune=Prune.ALWAYS, on_remove=OnRemove.DELETE)


def app(name: str, *depends_on: str, policy: Policy = DELETE) -> StackApp:
    return StackApp(
        name=name,
        namespace="web",
        create_namespace=True,
        depends_on=depends_on,
        policy=policy,
        timeout=90.0,
        revision=None,
        artifact_digest="",
        render_digest="",
    )


def resource(ref: ObjectRef, of: str = "web", **metadata: Any) -> Resource:
    body = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace, **metadata},
    }
    return Resource(
        type=type_token(ref.group, ref.version, ref.kind),
        name=resource_name(ref),
        inputs=body,
        options=ResourceOptions(aliases=type_aliases(ref.group, ref.version, ref.kind)),
        ref=ref,
        app=of,
        origin=Origin(file="a.yaml", line=1),
    )


def stack(*resources: Resource, apps: tuple[StackApp, ...] = (app("web"),)) -> Stack:
    return Stack(fleet="shop", cluster="dev-1", environment="dev", apps=apps, resources=resources)


def config(name: str, of: str = "web", **metadata: Any) -> Resource:
    return resource(ObjectRef("", "v1", "ConfigMap", "web", name), of, **metadata)


def deployment(name: str, of: str = "web", **metadata: Any) -> Resource:
    return resource(ObjectRef("apps", "v1", "Deployment", "web", name), of, **metadata)


def one(text: str, **changes: Any) -> Resource:
    (found,) = registered(render({"a.yaml": text}, **changes)).resources
    return found


CONFIG_MAP = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"
CLAIM = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}}"


# -- names


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("", "urn:pulumi:dev-1::shop::t::n"),
        (stack_urn(project="shop", stack="dev-1"), "urn:pulumi:dev-1::shop::t::n"),
        (app_urn("web", project="shop", stack="dev-1"), "urn:pulumi:dev-1::shop::fleetmgr:index:App$t::n"),
        ("urn:pulumi:dev-1::shop::a$b::x::y", "urn:pulumi:dev-1::shop::a$b$t::n"),
    ],
    ids=["the root", "below the root", "below a component", "two levels, a name with colons"],
)
def test_a_urn_is_what_the_engine_makes_of_it(parent: str, expected: str) -> None:
    assert urn(project="shop", stack="dev-1", type_="t", name="n", parent=parent) == expected


def test_the_urn_of_a_resource_is_that_of_its_parts() -> None:
    made = deployment("a")
    parent = app_urn("web", project="shop", stack="dev-1")
    assert made.urn(project="shop", stack="dev-1") == urn(
        project="shop", stack="dev-1", type_=made.type, name="web/a", parent=parent
    )
    assert provider_urn(project="shop", stack="dev-1").endswith("::pulumi:providers:kubernetes::kubernetes")


# -- order


def before(work: Stack) -> dict[str, set[str]]:
    """By name: everything that a resource waits for, however far."""
    direct = {r.name: {name for _, name in r.options.depends_on} for r in registered(work).resources}
    reached: dict[str, set[str]] = {}
    for name, names in direct.items():
        reached[name] = set().union(names, *(reached[n] for n in names))
    return reached


def test_kinds_waves_and_apps_come_in_their_order() -> None:
    late = {"argocd.argoproj.io/sync-wave": "1"}
    work = stack(
        deployment("d"),
        config("x"),
        deployment("late", annotations=late),
        config("y"),
        deployment("other", "shop"),
        apps=(app("web"), app("shop", "web")),
    )
    after = before(work)
    assert after["web/d"] == {"web/x", "web/y"}
    assert after["web/late"] == {"web/x", "web/y", "web/d"}
    assert after["web/other"] == {"web/x", "web/y", "web/d", "web/late"}


def test_definitions_wait_for_no_app() -> None:
    definition = resource(
        ObjectRef("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "", "w.x.y"), "b"
    )
    work = stack(config("a", "a"), definition, config("b", "b"), apps=(app("a"), app("b", "a")))
    after = before(work)
    assert after["w.x.y"] == set()
    assert after["web/b"] == {"web/a", "w.x.y"}
    assert registered(work).resources[0].name == "w.x.y"


def test_apps_without_objects_hand_on_what_they_wait_for() -> None:
    work = stack(config("a", "a"), config("c", "c"), apps=(app("a"), app("b", "a"), app("c", "b")))
    assert before(work)["web/c"] == {"web/a"}


@pytest.mark.parametrize("objects", [10, 100, 1000])
def test_a_stage_costs_one_edge_an_object(objects: int) -> None:
    work = stack(*(config(f"c{n}") for n in range(objects)), *(deployment(f"d{n}") for n in range(objects)))
    edges = dependencies(work)
    assert sum(map(len, edges.values())) == 3 * objects - 2  # N to the next gate, and two gates


# -- what is kept


@pytest.mark.parametrize(
    ("text", "policy", "retained", "protected"),
    [
        (CONFIG_MAP, DELETE, False, False),
        (CONFIG_MAP, Policy(), True, False),
        (CONFIG_MAP, Policy(prune=Prune.ALWAYS, on_remove=OnRemove.ORPHAN), True, False),
        (CONFIG_MAP, Policy(prune=Prune.NEVER, on_remove=OnRemove.DELETE), True, False),
        (CONFIG_MAP, Policy(prune=Prune.CONFIRM, on_remove=OnRemove.CONFIRM), False, True),
        (CONFIG_MAP, Policy(prune=Prune.ALWAYS, on_remove=OnRemove.CONFIRM), False, True),
        (CLAIM, DELETE, False, True),
        (CLAIM, Policy(), True, False),
    ],
)
def test_what_our_policy_keeps_pulumi_keeps(
    text: str, policy: Policy, *, retained: bool, protected: bool
) -> None:
    options = one(text, policy=policy).options
    assert (options.retain_on_delete, options.protect) == (retained, protected)


@pytest.mark.parametrize(
    ("annotation", "retained", "protected"),
    [
        ('fleetmgr.dev/protect: "true"', False, True),
        ("fleetmgr.dev/prune: disabled", True, False),
        ("argocd.argoproj.io/sync-options: Prune=false", True, False),
    ],
)
def test_annotations_keep_an_object(annotation: str, *, retained: bool, protected: bool) -> None:
    text = CONFIG_MAP.replace("name: a", f"name: a, annotations: {{{annotation}}}")
    options = one(text, policy=DELETE).options
    assert (options.retain_on_delete, options.protect) == (retained, protected)


NAMESPACED = """\
    {apiVersion: v1, kind: Namespace, metadata: {name: web}}
    ---
    {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
    """


def test_an_object_goes_with_its_namespace_only_where_that_goes() -> None:
    """Pulumi takes an object that goes with another out of its state without deleting it."""
    by_name = {r.name: r for r in registered(render({"a.yaml": NAMESPACED}, policy=DELETE)).resources}
    assert by_name["web/a"].options.deleted_with == ("kubernetes:core/v1:Namespace", "web")
    by_name = {r.name: r for r in registered(render({"a.yaml": NAMESPACED}, policy=Policy())).resources}
    assert by_name["web"].options.retain_on_delete
    assert by_name["web/a"].options.deleted_with is None


# -- what is left alone


def test_ignored_fields_become_property_paths() -> None:
    rule = IgnoreRule(
        kind="Deployment",
        pointers=("/spec/replicas", "/metadata/annotations/example.com~1by", "/spec/paused"),
        paths=(".spec.template.metadata.labels[]",),
    )
    text = (
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 1, "
        "template: {metadata: {labels: {a: b}}}}}"
    )
    policy = replace(DELETE, ignore=(rule,))
    assert one(text, policy=policy).options.ignore_changes == (
        'metadata.annotations["example.com/by"]',
        "spec.paused",
        "spec.replicas",
        "spec.template.metadata.labels.a",
    )


def test_replicas_of_what_an_autoscaler_targets_are_left_to_it() -> None:
    autoscaler = (
        "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}, "
        "spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}}"
    )
    text = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME}, spec: {replicas: 1}}"
    files = {f"{name}.yaml": text.replace("NAME", name) for name in ("a", "b")}
    work = registered(render({**files, "h.yaml": autoscaler}))
    ignored = {r.ref.short: r.options.ignore_changes for r in work.resources}
    assert ignored["Deployment web/a"] == ("spec.replicas",)
    assert ignored["Deployment web/b"] == ()


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (IgnoreRule(pointers=("/spec/template/spec/containers/0/image",)), "/spec/template/spec/containers"),
        (IgnoreRule(paths=(".spec.template.spec.containers[].image",)), ".spec.template.spec.containers"),
        (IgnoreRule(managers=("someone",)), "fields of `someone`"),
    ],
)
def test_what_pulumi_cannot_leave_alone_is_told(rule: IgnoreRule, told: str) -> None:
    text = (
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, "
        "spec: {template: {spec: {containers: [{name: a, image: i}]}}}}"
    )
    work = registered(render({"a.yaml": text}, policy=replace(DELETE, ignore=(rule,))))
    (problem,) = beyond_pulumi(work)
    assert problem.code == BEYOND_PULUMI
    assert told in problem.message


def test_a_list_that_git_does_not_name_needs_no_path() -> None:
    rule = IgnoreRule(paths=(".webhooks[].clientConfig.caBundle",))
    work = registered(render({"a.yaml": CONFIG_MAP}, policy=replace(DELETE, ignore=(rule,))))
    assert beyond_pulumi(work) == ()


@pytest.mark.parametrize("policy", [OnConflict.FAIL, OnConflict.KEEP_THEIRS])
def test_a_rule_about_conflicts_is_beyond_pulumi(policy: OnConflict) -> None:
    work = render({"a.yaml": CONFIG_MAP}, policy=replace(DELETE, on_conflict=policy))
    (problem,) = beyond_pulumi(work)
    assert policy.value in problem.message


# -- identity across time


def test_versions_that_the_cluster_serves_become_aliases() -> None:
    served: Served = {
        GroupKind("example.com", "Widget"): ServedKind(namespaced=True, versions=("v1", "v1beta1", "v2"))
    }
    widget = resource(ObjectRef("example.com", "v1", "Widget", "web", "w"))
    (found,) = registered(stack(widget), served).resources
    assert found.options.aliases == (
        "kubernetes:example.com/v1beta1:Widget",
        "kubernetes:example.com/v2:Widget",
    )


def test_a_kind_that_turns_out_to_be_cluster_scoped_keeps_its_object() -> None:
    served: Served = {GroupKind("example.com", "Widget"): ServedKind(namespaced=False, versions=("v1",))}
    widget = resource(ObjectRef("example.com", "v1", "Widget", "web", "w"))
    (found,) = registered(stack(widget), served).resources
    assert (found.name, found.ref.namespace, found.inputs["metadata"]) == ("w", "", {"name": "w"})
    assert found.former_identities() == (("kubernetes:example.com/v1:Widget", "web/w"),)


CLUSTER_WIDE = """\
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: widgets.example.com}
    spec: {group: example.com, scope: Cluster, names: {kind: Widget}, versions: [{name: v1}, {name: v2}]}
    ---
    {apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}
    """


def test_a_definition_that_joins_the_fleet_keeps_the_objects_of_its_kind() -> None:
    found = registered(render({"a.yaml": CLUSTER_WIDE})).resources[-1]
    assert found.name == "w"
    assert found.former_identities() == (
        ("kubernetes:example.com/v2:Widget", "w"),
        ("kubernetes:example.com/v1:Widget", "web/w"),
        ("kubernetes:example.com/v2:Widget", "web/w"),
    )


def test_one_object_in_two_namespaces_of_a_cluster_scoped_kind_is_refused() -> None:
    served: Served = {GroupKind("example.com", "Widget"): ServedKind(namespaced=False, versions=("v1",))}
    widgets = (resource(ObjectRef("example.com", "v1", "Widget", ns, "w")) for ns in ("a", "b"))
    with pytest.raises(InvalidInput) as raised:
        registered(stack(*widgets), served)
    assert {problem.code for problem in raised.value.problems} == {ONE_OBJECT_TWICE}


KINDS = [
    ("", "v1", "ConfigMap"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1beta2", "Deployment"),
    ("extensions", "v1beta1", "Deployment"),
    ("autoscaling", "v1", "HorizontalPodAutoscaler"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ("example.com", "v1", "Widget"),
    ("example.com", "v2", "Widget"),
]
SERVED: Served = {
    GroupKind("example.com", "Widget"): ServedKind(namespaced=False, versions=("v1", "v2")),
}


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"])),
        max_size=6,
    ),
    st.booleans(),
)
def test_no_object_is_ever_registered_under_two_urns(
    objects: list[tuple[tuple[str, str, str], str, str]], known: bool
) -> None:
    served: Served = SERVED if known else {}
    resources = [resource(ObjectRef(*kind, namespace, name)) for kind, namespace, name in objects]

    def thing(one: Resource) -> tuple[str, str, str]:
        scoped = not (known and one.ref.kind == "Widget")
        return one.ref.kind, one.ref.namespace if scoped else "", one.ref.name

    things = [thing(one) for one in resources]
    if len(set(things)) < len(things):
        with pytest.raises(InvalidInput):
            registered(stack(*resources), served)
        return
    found = registered(stack(*resources), served).resources
    own = [r.urn(project="shop", stack="dev-1") for r in found]
    assert len(set(own)) == len(own)
    identities = {(r.type, r.name): r for r in found}
    assert all(identities.get(named, r) is r for r in found for named in r.former_identities())
