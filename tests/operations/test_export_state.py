"""A cluster as a state of Pulumi: what an import checks, what is in it, and what never is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from fleetmgr.engine.goals import WayIn
from fleetmgr.operations.export_state import StateExport, export_state
from tests.operations.integrity import BrokenState, verify
from tests.operations.worlds import App, World, config, deployment, service

HIDDEN = "{apiVersion: v1, kind: Secret, metadata: {name: token}, stringData: {key: hunter2}}"
NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"


def exported(world: World) -> StateExport:
    return export_state(
        world.cluster,
        world.entry,
        world.stack(),
        way=WayIn(version="4.34.2", context="kind"),
        pulumi="v3.272.0",
        at="2026-11-21T09:00:00Z",
    )


def a_world() -> World:
    world = World()
    world.apps["base"] = App(manifests=[NAMESPACE, config(), HIDDEN])
    world.apps["web"] = App(manifests=[deployment(), service()], depends_on=("base",))
    world.apply()
    return world


def by_name(state: StateExport) -> dict[str, dict[str, Any]]:
    return {entry["urn"].split("::")[-1]: entry for entry in state.document["deployment"]["resources"]}


def test_an_import_takes_it() -> None:
    state = exported(a_world())
    verify(state.document, project="shop", stack="dev-1")
    assert state.objects == 4
    types = [entry["type"] for entry in state.document["deployment"]["resources"]]
    assert types[:4] == [
        "pulumi:pulumi:Stack",
        "pulumi:providers:kubernetes",
        "fleetmgr:index:App",
        "fleetmgr:index:App",
    ]


def test_an_object_is_what_the_provider_would_have_written() -> None:
    world = a_world()
    state = exported(world)
    entry = by_name(state)["shop/settings"]
    (wanted,) = (r for r in world.stack().resources if r.ref.kind == "ConfigMap")
    assert entry["id"] == "shop/settings"
    assert entry["inputs"] == wanted.inputs == entry["outputs"]["__inputs"]
    assert entry["outputs"]["__fieldManager"] == "fleetmgr:shop"
    assert entry["outputs"]["__initialApiVersion"] == "v1"
    assert entry["outputs"]["metadata"]["uid"]
    assert entry["provider"].startswith("urn:pulumi:dev-1::shop::pulumi:providers:kubernetes::kubernetes::")
    assert entry["deletedWith"] == by_name(state)["shop"]["urn"]


def test_the_stack_says_that_it_knows_the_inventory() -> None:
    root = exported(a_world()).document["deployment"]["resources"][0]
    assert root["outputs"] == {"fleetmgr": {"fleet": "shop", "cluster": "dev-1"}}


def test_no_value_of_a_secret_is_in_it() -> None:
    state = exported(a_world())
    assert state.secrets == ("v1/Secret/shop/token",)
    text = json.dumps(state.document)
    assert "hunter2" not in text
    assert "aHVudGVyMg" not in text
    assert "Secret::" not in text


def test_what_is_not_ours_or_not_there_is_left_out() -> None:
    world = a_world()
    world.apps["web"] = App(manifests=[deployment(), service(), config("new")], depends_on=("base",))
    world.apps["base"] = App(manifests=[NAMESPACE, HIDDEN, config("theirs")])
    world.cluster.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "shop"}}
    )
    state = exported(world)
    verify(state.document, project="shop", stack="dev-1")
    assert state.absent == ("v1/ConfigMap/shop/new",)
    assert state.foreign == ("v1/ConfigMap/shop/theirs",)
    assert state.dropped == ("v1/ConfigMap/shop/settings",)
    assert {"shop/new", "shop/theirs", "shop/settings"}.isdisjoint(by_name(state))


def test_exporting_writes_nothing() -> None:
    world = a_world()
    world.forget_log()
    exported(world)
    assert world.cluster.log == []


def _other_version(deployment: dict[str, Any]) -> None:
    deployment["manifest"]["version"] = "v9"


def _backwards(deployment: dict[str, Any]) -> None:
    deployment["resources"].reverse()


def _twice(deployment: dict[str, Any]) -> None:
    deployment["resources"].append(deployment["resources"][-1])


def _no_provider(deployment: dict[str, Any]) -> None:
    deployment["resources"].pop(1)


def _id_of_the_root(deployment: dict[str, Any]) -> None:
    deployment["resources"][0]["id"] = "x"


@pytest.mark.parametrize("break_it", [_other_version, _backwards, _twice, _no_provider, _id_of_the_root])
def test_the_check_notices(break_it: Callable[[dict[str, Any]], None]) -> None:
    document = copy.deepcopy(exported(a_world()).document)
    break_it(document["deployment"])
    with pytest.raises(BrokenState):
        verify(document, project="shop", stack="dev-1")
