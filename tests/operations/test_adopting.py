"""Adoption on a cluster in memory: as planned, fenced, finished after a crash; fights are remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.engine.adoption import without_bookkeeping
from fleetmgr.engine.compare import changes_between
from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Op
from fleetmgr.ports.cluster_errors import ObjectInvalid, Unreachable
from tests.operations.worlds import App, World, config, ops_of

ADOPT = {"adopt": True}


@pytest.fixture
def world() -> World:
    made = World()
    made.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return made


def theirs(world: World, data: Mapping[str, str], *, manager: str = "helm", **metadata: Any) -> None:
    body = {"metadata": {"name": "settings", "namespace": "shop", **metadata}, "data": dict(data)}
    world.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", **body}, manager=manager)


def settings(world: World) -> dict[str, Any]:
    return world.cluster.body("ConfigMap", "shop", "settings") or {}


def test_what_exists_is_a_conflict_that_says_how_to_adopt_it(world: World) -> None:
    theirs(world, {"a": "1"})
    world.apps = {"web": App(manifests=[config()])}
    (change,) = world.plan().changes
    assert change.op is Op.CONFLICT
    assert "--adopt" in str(change.reason)
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}
    assert world.ops() == {("adopt", "ConfigMap/settings")}


def test_fields_that_git_does_not_name_go_and_those_of_controllers_stay(world: World) -> None:
    theirs(world, {"a": "1", "b": "2"})
    world.cluster.edit("ConfigMap", "shop", "settings", {"data": {"c": "3"}}, manager="some-controller")
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}
    (change,) = world.plan().changes
    assert change.adoption is not None
    assert change.adoption.managers == ("helm",)
    assert [(d.path, d.old, d.new) for d in change.diff] == [("/data/b", "2", None)]
    assert world.apply().exit_code is ExitCode.OK
    assert settings(world)["data"] == {"a": "1", "c": "3"}
    assert world.ops() == set()


def test_a_crash_between_the_move_and_the_apply_is_finished_by_the_next_run(world: World) -> None:
    theirs(world, {"a": "1", "b": "2"})
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}

    def die(_: str, name: str) -> None:
        if name == "ConfigMap/settings":
            raise Unreachable("connection refused", cluster="dev-1")

    world.cluster.before = die
    assert world.apply().exit_code is ExitCode.PARTIAL
    assert settings(world)["data"] == {"a": "1", "b": "2"}
    assert {e["manager"] for e in settings(world)["metadata"]["managedFields"]} == {"fleetmgr:shop"}
    world.cluster.before = None
    (change,) = world.plan().changes
    assert (change.op, change.reason) == (Op.ADOPT, "an earlier run began to take it over")
    world.apply()
    assert settings(world)["data"] == {"a": "1"}
    assert world.ops() == set()


def test_the_fields_of_a_tool_that_is_not_known_stay_with_it(world: World) -> None:
    theirs(world, {"a": "0", "b": "2"}, manager="some-tool")
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}
    (change,) = world.plan().changes
    assert str(change.reason).startswith("made by some-tool; the fields of some-tool stay with it")
    world.apply()
    assert settings(world)["data"] == {"a": "1", "b": "2"}
    assert world.ops() == set()


@pytest.mark.parametrize("change", ["data", "recreated", "marks"])
def test_what_changed_since_the_plan_is_not_adopted(world: World, change: str) -> None:
    theirs(world, {"a": "1", "b": "2"})
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}
    scene, plan = world.scene(), world.plan()
    if change == "data":
        world.cluster.edit("ConfigMap", "shop", "settings", {"data": {"b": "by hand"}})
    elif change == "recreated":
        world.cluster.remove("ConfigMap", "shop", "settings")
        theirs(world, {"a": "1", "b": "2"})
    else:
        labels = {"fleetmgr.dev/fleet": "other"}
        world.cluster.edit("ConfigMap", "shop", "settings", {"metadata": {"labels": labels}})
    before = settings(world)
    assert world.perform(scene, plan).exit_code is ExitCode.STALE
    assert settings(world) == before


def test_another_fleets_object_stays_a_conflict(world: World) -> None:
    theirs(world, {"a": "1"}, labels={"fleetmgr.dev/fleet": "other"})
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}
    (change,) = world.plan().changes
    assert change.op is Op.CONFLICT
    assert "only fleet other" in str(change.reason)


def test_fields_that_the_server_does_not_let_go_of_stay_and_the_plan_says_so(world: World) -> None:
    theirs(world, {"a": "1", "b": "2"}, labels={"old": "x"})
    whole = world.cluster.patch

    def immutable(*args: Any, **options: Any) -> dict[str, Any]:
        for operation in options["operations"]:
            if operation["path"] == "/data" and "b" not in operation["value"]:
                raise ObjectInvalid("b is immutable", cluster="dev-1", status=422)
        return whole(*args, **options)

    world.cluster.patch = immutable
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}
    (change,) = world.plan().changes
    assert change.adoption is not None
    assert change.adoption.kept == "spec"
    assert [d.path for d in change.diff if d.new is None] == ["/metadata/labels/old"]
    assert "stay" in str(change.reason)
    world.apply()
    assert settings(world)["data"] == {"a": "1", "b": "2"}
    assert "old" not in settings(world)["metadata"]["labels"]
    assert world.ops() == set()


def test_who_may_not_patch_sees_an_unverified_adoption(world: World) -> None:
    theirs(world, {"a": "1", "b": "2"})
    world.apps = {"web": App(manifests=[config()], more=ADOPT)}
    world.cluster.denied = {("patch", "configmaps")}
    (change,) = world.plan().changes
    assert (change.op, change.unverified) == (Op.ADOPT, True)
    assert [d.path for d in change.diff] == ["/data/b"]


def test_secret_values_are_never_shown(world: World) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
    world.cluster.create({**secret, "data": {"a": "b2xk", "b": "aHVudGVy"}}, manager="helm")
    world.apps = {"web": App(manifests=[yaml.safe_dump({**secret, "data": {"a": "bmV3"}})], more=ADOPT)}
    (change,) = world.plan().changes
    assert {d.path for d in change.diff} == {"/data/a", "/data/b"}
    assert all(d.sensitive and d.old is None and d.new is None for d in change.diff)
    for value in ("b2xk", "aHVudGVy", "bmV3"):
        assert value not in f"{change.diff} {change.reason} {change.live} {change.result}"


def test_a_writer_that_comes_back_is_flapping(world: World) -> None:
    world.apps = {"web": App(manifests=[config()])}
    world.apply()
    reasons: list[str | None] = []
    for manager in ("operator", "operator", "operator", "somebody-else", "operator"):
        world.cluster.edit("ConfigMap", "shop", "settings", {"data": {"a": "9"}}, manager=manager)
        (change,) = [c for c in world.plan().changes if c.op is not Op.KEEP]
        assert change.drift
        reasons.append(change.reason)
        world.apply()
        assert world.ops() == set()
    assert [bool(reason and "flapping: operator" in reason) for reason in reasons] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert "healed 2 times before" in str(reasons[2])


VALUES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("12"), max_size=5)


@given(made=VALUES, more=VALUES, kept=VALUES, wanted=VALUES)
def test_an_adoption_does_exactly_what_was_planned(
    made: dict[str, str], more: dict[str, str], kept: dict[str, str], wanted: dict[str, str]
) -> None:
    world = World()
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    theirs(world, {"z": "0", **made}, labels=made)
    for data, manager in ((more, "kubectl-edit"), (kept, "operator")):
        world.cluster.edit("ConfigMap", "shop", "settings", {"data": data}, manager=manager)
    world.apps = {"web": App(manifests=[config(**{"y": "1", **wanted})], more=ADOPT)}
    before = settings(world)
    plan = world.plan()
    assert ops_of(plan) == {("adopt", "ConfigMap/settings")}
    assert world.apply().exit_code is ExitCode.OK
    real = without_bookkeeping(changes_between(before, settings(world), {}))
    key = str
    assert sorted(real, key=key) == sorted(plan.changes[0].diff, key=key)
    assert world.ops() == set()
