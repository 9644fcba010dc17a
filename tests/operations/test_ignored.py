"""Ignored fields on a cluster in memory: sent at creation, never a difference, never reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Op
from fleetmgr.model.jsontypes import child
from fleetmgr.model.policy import IgnoreRule
from tests.operations.worlds import App, World, config, deployment

REPLICAS = IgnoreRule(kind="Deployment", pointers=("/spec/replicas",))


def web(*, image: str = "web:1", replicas: int | None = 5, **container: Any) -> str:
    body = yaml.safe_load(deployment(image=image))
    body["spec"].pop("replicas")
    if replicas is not None:
        body["spec"]["replicas"] = replicas
    body["spec"]["template"]["spec"]["containers"][0].update(container)
    return yaml.safe_dump(body)


def app(*manifests: str, ignore: tuple[IgnoreRule, ...] = (REPLICAS,), **more: Any) -> App:
    return App(manifests=manifests, policy_more={"ignore": ignore}, more=more)


def applied(*manifests: str, ignore: tuple[IgnoreRule, ...] = (REPLICAS,)) -> World:
    world = World()
    world.apps = {"web": app(*manifests, ignore=ignore)}
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()
    return world


def live(world: World, *path: str, kind: str = "Deployment", name: str = "web") -> Any:
    return child(world.cluster.body(kind, "shop", name) or {}, *path)


def wants(world: World, *manifests: str, ignore: tuple[IgnoreRule, ...] = (REPLICAS,)) -> None:
    world.apps = {"web": app(*manifests, ignore=ignore)}


def scale(world: World, replicas: int, *, manager: str = "kube-controller-manager") -> None:
    world.cluster.edit("Deployment", "shop", "web", {"spec": {"replicas": replicas}}, manager=manager)


def dry_runs(world: World) -> int:
    return world.cluster.requests["dry-run"]


def test_it_is_sent_at_creation() -> None:
    assert live(applied(web()), "spec", "replicas") == 5


def test_what_others_set_is_kept_without_asking_the_server() -> None:
    world = applied(web())
    scale(world, 7)
    before = dry_runs(world)
    assert world.ops() == set()
    assert dry_runs(world) == before


def test_a_change_of_another_field_resets_nothing() -> None:
    world = applied(web())
    scale(world, 7)
    wants(world, web(image="web:2"))
    (change,) = world.plan().changes
    assert [d.path for d in change.diff] == ["/spec/template/spec/containers/[name=main]/image"]
    assert world.apply().exit_code is ExitCode.OK
    assert live(world, "spec", "replicas") == 7
    assert world.ops() == set()


@pytest.mark.parametrize("named", [3, None])
def test_a_field_that_only_we_hold_stays_whatever_git_says_of_it(named: int | None) -> None:
    world = applied(web(replicas=5))
    wants(world, web(replicas=named))
    assert world.ops() == set()
    wants(world, web(replicas=named, image="web:2"))
    assert world.apply().exit_code is ExitCode.OK
    assert live(world, "spec", "replicas") == 5
    scale(world, 9)
    assert world.ops() == set()


def test_a_field_that_is_ignored_from_now_on_stays_as_it_is() -> None:
    world = applied(web(replicas=5), ignore=())
    wants(world, web(replicas=None))
    assert world.ops() == set()
    wants(world, web(replicas=None), ignore=())
    (change,) = world.plan().changes
    assert [(d.path, d.old, d.new) for d in change.diff] == [("/spec/replicas", 5, 1)]


def test_a_field_that_is_no_longer_ignored_is_healed() -> None:
    world = applied(web())
    scale(world, 7)
    wants(world, web(), ignore=())
    assert world.ops() == {("update", "Deployment/web")}
    world.apply()
    assert live(world, "spec", "replicas") == 5


def test_a_change_of_an_ignored_field_in_git_leaves_drift_what_it_is() -> None:
    world = applied(web(replicas=5))
    world.cluster.edit("Deployment", "shop", "web", {"spec": {"paused": True, "minReadySeconds": 3}})
    manifest = yaml.safe_load(web(replicas=6))
    wants(world, yaml.safe_dump(manifest))
    assert world.ops() == set()
    world.cluster.edit(
        "Deployment",
        "shop",
        "web",
        {
            "spec": {
                "template": {
                    **manifest["spec"]["template"],
                    "spec": {"containers": [{"name": "main", "image": "evil"}]},
                }
            }
        },
    )
    (change,) = world.plan().changes
    assert (change.op, change.drift) == (Op.UPDATE, True)


PATHS: Mapping[str, IgnoreRule] = {
    "select": IgnoreRule(paths=('.spec.template.spec.containers[] | select(.name == "main") | .image',)),
    "each": IgnoreRule(paths=(".spec.template.spec.containers[].image",)),
    "index": IgnoreRule(paths=(".spec.template.spec.containers[0].image",)),
    "pointer": IgnoreRule(pointers=("/spec/template/spec/containers/0/image",)),
    "named": IgnoreRule(pointers=("/spec/template/spec/containers/[name=main]/image",)),
    "manager": IgnoreRule(managers=("image-updater",)),
}


@pytest.mark.parametrize("rule", PATHS.values(), ids=PATHS)
def test_every_way_to_name_a_field_of_a_container(rule: IgnoreRule) -> None:
    world = applied(web(), ignore=(rule,))
    template = yaml.safe_load(web())["spec"]["template"]
    template["spec"]["containers"] = [
        {"name": "sidecar", "image": "proxy:1"},
        {"name": "main", "image": "web:9"},
    ]
    world.cluster.edit("Deployment", "shop", "web", {"spec": {"template": template}}, manager="image-updater")
    assert world.ops() == set()
    wants(world, web(image="web:3", stdin=True), ignore=(rule,))
    (change,) = world.plan().changes
    assert [d.path for d in change.diff] == ["/spec/template/spec/containers/[name=main]/stdin"]
    assert world.apply().exit_code is ExitCode.OK
    containers = live(world, "spec", "template", "spec", "containers")
    assert {c["name"]: c["image"] for c in containers} == {"sidecar": "proxy:1", "main": "web:9"}
    assert world.ops() == set()


def test_a_container_that_git_drops_goes_though_its_image_is_ignored() -> None:
    rule = PATHS["each"]
    two = yaml.safe_load(web())
    two["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})
    world = applied(yaml.safe_dump(two), ignore=(rule,))
    wants(world, web(), ignore=(rule,))
    assert world.apply().exit_code is ExitCode.OK
    assert [c["name"] for c in live(world, "spec", "template", "spec", "containers")] == ["main"]


def test_our_own_labels_are_sent_whatever_is_ignored() -> None:
    rule = IgnoreRule(pointers=("/metadata/labels", "/metadata/annotations"))
    world = applied(config(), ignore=(rule,))
    world.cluster.edit("ConfigMap", "shop", "settings", {"metadata": {"labels": {"a": "b"}}})
    assert world.ops() == set()
    wants(world, config(a="2"), ignore=(rule,))
    world.apply()
    assert live(world, "metadata", "labels", "a", kind="ConfigMap", name="settings") == "b"
    world.apps = {"web": App(manifests=[])}
    assert world.ops() == {("delete", "ConfigMap/settings")}


def routes(*weights: int, host: str = "web") -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "mesh.example/v1",
            "kind": "Route",
            "metadata": {"name": "web"},
            "spec": {
                "http": [
                    {
                        "name": "primary",
                        "route": [{"host": f"{host}-{i}", "weight": w} for i, w in enumerate(weights)],
                    }
                ]
            },
        }
    )


ROUTES = yaml.safe_dump(
    {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "routes.mesh.example"},
        "spec": {
            "group": "mesh.example",
            "scope": "Namespaced",
            "names": {"kind": "Route", "plural": "routes", "singular": "route", "listKind": "RouteList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }
)


def test_inside_of_an_atomic_list_the_live_value_stands_in() -> None:
    rule = IgnoreRule(kind="Route", paths=(".spec.http[].route[].weight",))
    world = World()
    world.apps = {"crd": App(manifests=[ROUTES])}
    world.apply()
    world.apps["web"] = app(routes(100, 0), ignore=(rule,))
    assert world.apply().exit_code is ExitCode.OK
    shifted = yaml.safe_load(routes(60, 40))["spec"]
    world.cluster.edit("Route", "shop", "web", {"spec": shifted}, manager="rollouts")
    assert world.ops() == set()
    world.apps["web"] = app(routes(100, 0, host="api"), ignore=(rule,))
    assert world.ops() == {("update", "Route/web")}
    world.apply()
    assert live(world, "spec", kind="Route") == yaml.safe_load(routes(60, 40, host="api"))["spec"]
    assert world.ops() == set()


@pytest.mark.parametrize("wiped", [False, True])
@pytest.mark.parametrize("named", [2, None])
def test_an_adoption_leaves_ignored_fields_as_they_are(*, wiped: bool, named: int | None) -> None:
    world = World()
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    theirs = yaml.safe_load(web(replicas=5))
    theirs["metadata"]["namespace"] = "shop"
    world.cluster.create(theirs, manager="kubectl-client-side-apply")
    if wiped:
        world.cluster.patch(
            world.cluster.resource_of(theirs),
            namespace="shop",
            name="web",
            operations=[{"op": "replace", "path": "/metadata/managedFields", "value": []}],
            manager="somebody",
        )
    world.apps = {"web": app(web(replicas=named, image="web:2"), adopt=True)}
    (change,) = world.plan().changes
    assert change.op is Op.ADOPT
    assert [d.path for d in change.diff] == ["/spec/template/spec/containers/[name=main]/image"]
    assert world.apply().exit_code is ExitCode.OK
    assert live(world, "spec", "replicas") == 5
    assert world.ops() == set()


def test_an_autoscaler_between_plan_and_write_is_not_undone() -> None:
    world = applied(web())
    scale(world, 7)
    wants(world, web(image="web:2"))
    scene = world.scene()
    plan = world.plan()
    scale(world, 8)
    assert world.perform(scene, plan).exit_code is ExitCode.OK
    assert live(world, "spec", "replicas") == 8


KEYS = ("a", "b", "c", "d")
DATA = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(("1", "2", "3")), min_size=1)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(("kubectl", "hpa")),
        st.dictionaries(st.sampled_from(KEYS), st.sampled_from(("7", "8", None)), min_size=1),
    ),
    max_size=3,
)


@settings(deadline=None)
@given(
    first=DATA,
    later=DATA,
    names=st.sets(st.sampled_from(KEYS)),
    before=st.booleans(),
    edits=EDITS,
    managers=st.sampled_from(((), ("hpa",))),
)
def test_whatever_happens_an_ignored_field_stays_as_it_was(
    first: dict[str, str],
    later: dict[str, str],
    names: set[str],
    before: bool,
    edits: list[tuple[str, dict[str, str | None]]],
    managers: tuple[str, ...],
) -> None:
    rule = IgnoreRule(pointers=tuple(f"/data/{name}" for name in sorted(names)), managers=managers)
    world = applied(config(**first), ignore=(rule,) if before else ())
    for manager, changes in edits:
        world.cluster.edit("ConfigMap", "shop", "settings", {"data": changes}, manager=manager)
    was: dict[str, str] = live(world, "data", kind="ConfigMap", name="settings") or {}
    wants(world, config(**later), ignore=(rule,))
    assert world.apply().exit_code is ExitCode.OK
    now: dict[str, str] = live(world, "data", kind="ConfigMap", name="settings") or {}
    for name in names:
        assert now.get(name) == was.get(name)
    if not managers:
        assert {k: v for k, v in later.items() if k not in names}.items() <= now.items()
    dry = dry_runs(world)
    assert world.ops() == set()
    assert dry_runs(world) == dry or any(edits)
