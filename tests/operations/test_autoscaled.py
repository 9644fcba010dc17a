"""Replicas under an autoscaler on a cluster in memory: handed over, never set back, never reset."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Change, Left, Op
from fleetmgr.model.jsontypes import child
from tests.operations.worlds import App, World, deployment


def hpa(name: str = "web", target: str = "web") -> str:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": reference, "minReplicas": 3, "maxReplicas": 9}
    return yaml.safe_dump(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name},
            "spec": spec,
        }
    )


def web(replicas: int | None, image: str = "web:1") -> str:
    body = yaml.safe_load(deployment(image=image))
    del body["spec"]["replicas"]
    if replicas is not None:
        body["spec"]["replicas"] = replicas
    return yaml.safe_dump(body)


def applied(*manifests: str) -> World:
    world = World()
    world.apps = {"web": App(manifests=manifests)}
    assert world.apply(wait=False).exit_code is ExitCode.OK
    return world


def scale(world: World, replicas: int, manager: str = "kube-controller-manager") -> None:
    world.cluster.edit("Deployment", "shop", "web", {"spec": {"replicas": replicas}}, manager=manager)


def replicas(world: World) -> Any:
    return child(world.cluster.body("Deployment", "shop", "web") or {}, "spec", "replicas")


def change(world: World) -> Change:
    return next(c for c in world.plan().changes if c.ref.kind == "Deployment")


def told(world: World) -> list[tuple[object, object, str]]:
    left = change(world).left
    assert all(x.why is Left.AUTOSCALER and x.field.path == "/spec/replicas" for x in left)
    return [(x.field.old, x.field.new, x.manager) for x in left]


def test_git_drops_replicas_and_adds_an_autoscaler_in_one_commit() -> None:
    world = applied(web(5))
    world.apps = {"web": App(manifests=[web(None), hpa()])}
    assert (change(world).op, told(world)) == (Op.KEEP, [(5, None, "HorizontalPodAutoscaler web")])
    assert world.apply(wait=False).exit_code is ExitCode.OK
    assert replicas(world) == 5
    world.apps = {"web": App(manifests=[web(None, "web:2"), hpa()])}
    world.apply(wait=False)
    assert replicas(world) == 5
    scale(world, 7)
    assert (change(world).op, told(world)) == (Op.KEEP, [])


def test_replicas_that_git_names_are_not_set_back() -> None:
    world = applied(web(2), hpa())
    scale(world, 7)
    assert (change(world).op, told(world)) == (Op.KEEP, [(7, 2, "HorizontalPodAutoscaler web")])
    world.apps = {"web": App(manifests=[web(2, "web:2"), hpa()])}
    assert [d.path for d in change(world).diff] == ["/spec/template/spec/containers/[name=main]/image"]
    world.apply(wait=False)
    assert replicas(world) == 7


@pytest.mark.parametrize("named", [2, None])
def test_an_autoscaler_that_somebody_else_made_counts(named: int | None) -> None:
    world = applied(web(5))
    body = yaml.safe_load(hpa("theirs"))
    body["metadata"]["namespace"] = "shop"
    world.cluster.create(body)
    world.apps = {"web": App(manifests=[web(named)])}
    assert told(world) == [(5, named, "HorizontalPodAutoscaler theirs")]
    assert world.ops() == set()


def test_without_an_autoscaler_git_decides() -> None:
    world = applied(web(5), hpa("other", target="other"))
    world.apps = {"web": App(manifests=[web(None), hpa("other", target="other")])}
    assert [(d.path, d.old, d.new) for d in change(world).diff] == [("/spec/replicas", 5, 1)]
    scale(world, 7, manager="kubectl")
    world.apps = {"web": App(manifests=[web(5), hpa("other", target="other")])}
    assert change(world).op is Op.UPDATE


def test_an_autoscaler_that_goes_with_this_plan_does_not_count() -> None:
    world = applied(web(None), hpa())
    scale(world, 7)
    world.apps = {"web": App(manifests=[web(3)])}
    assert change(world).op is Op.UPDATE
    world.apply(wait=False)
    assert replicas(world) == 3
    assert world.ops() == set()


def test_a_workload_that_was_scaled_to_zero_is_healed() -> None:
    world = applied(web(3), hpa())
    scale(world, 0, manager="kubectl")
    assert change(world).op is Op.UPDATE
    world.apply(wait=False)
    assert replicas(world) == 3


def test_autoscalers_are_asked_for_only_where_replicas_are_at_stake() -> None:
    world = applied(web(3), hpa())
    before = world.cluster.requests["list"]
    world.plan()
    quiet = world.cluster.requests["list"] - before
    world.apps = {"web": App(manifests=[web(3, "web:2"), hpa()])}
    before = world.cluster.requests["list"]
    world.plan()
    assert world.cluster.requests["list"] - before == quiet
