"""What our runs leave in Pulumi's state: options by which a plain `pulumi up` keeps what our policies keep."""

from __future__ import annotations

import pytest

from fleetmgr.model.policy import Replace
from fleetmgr.model.resource import ResourceOptions
from tests.fakes.pulumi import FakePulumiStack
from tests.operations.worlds import App, World, config, deployment, outcomes


@pytest.fixture
def world() -> World:
    made = World()
    made.pulumi = FakePulumiStack(made.cluster)
    return made


def left_behind(world: World) -> dict[str, ResourceOptions]:
    """The options of the last registration of each object, by name."""
    assert world.pulumi is not None
    return {r.name: r.options for run in world.pulumi.runs for r in run.stack.resources}


def test_what_leaves_git_stays_where_prune_is_off(world: World) -> None:
    guarded = config("b").replace("name: b", "name: b\n  annotations: {fleetmgr.dev/protect: 'true'}")
    world.apps["kept"] = App(manifests=[config("a")], prune=False)
    world.apps["web"] = App(manifests=[guarded, config("c")])
    world.apply()
    options = left_behind(world)
    said = {name: (found.retain_on_delete, found.protect) for name, found in options.items()}
    assert said == {
        "shop/a": (True, False),
        "shop/b": (False, True),
        "shop/c": (False, False),
    }
    assert {found.timeout for found in options.values()} == {60.0}


def test_the_order_is_that_of_the_whole_stack(world: World) -> None:
    world.apps["web"] = App(manifests=[config("a"), config("b"), deployment()])
    world.apply()
    needs = {name: {n for _, n in found.depends_on} for name, found in left_behind(world).items()}
    assert needs == {"shop/a": set(), "shop/b": {"shop/a"}, "shop/web": {"shop/b"}}, (
        "the last of a stage is its gate"
    )


@pytest.mark.parametrize("prune", [True, False])
def test_an_object_is_replaced_by_us_and_registered_again(world: World, *, prune: bool) -> None:
    always = {"replace": Replace.ALWAYS}
    world.apps["web"] = App(manifests=[deployment()], prune=prune, policy_more=always)
    world.apply()
    before = world.cluster.body("Deployment", "shop", "web")
    other = deployment().replace("app: web", "app: other")
    world.apps["web"] = App(manifests=[other], prune=prune, policy_more=always)
    report = world.apply()
    assert outcomes(report) == {"Deployment/web": "done"}
    after = world.cluster.body("Deployment", "shop", "web")
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert world.pulumi is not None
    assert [urn.rpartition("::")[2] for urn in world.pulumi.runs[-1].targets or ()] == ["shop/web"]
    assert world.pulumi.runs[-1].replacing == ()
