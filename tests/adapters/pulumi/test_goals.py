"""Goals are equal however they come about: computed, recorded by a monitor in the process, sent over gRPC."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict
from msgspec.structs import replace

from fleetmgr.adapters.pulumi.program import Selection, plugin_version, register
from fleetmgr.engine.goals import WayIn, goals
from fleetmgr.engine.registering import registered as completed
from fleetmgr.model.goal import Goal
from fleetmgr.model.policy import IgnoreRule, OnRemove, Policy, Prune
from fleetmgr.model.resource import Stack
from fleetmgr.model.target import OwnedNamespace
from tests.adapters.pulumi.recording import registered, served
from tests.adapters.pulumi.test_program import FILES
from tests.rendering.builders import render

NOISE = ("stackTrace", "sourcePosition")
"""Where in a program a registration was made."""
PROTOCOL = {"acceptSecrets", "acceptResources", "supportsPartialValues", "supportsResultReporting"}
"""What an SDK is able to do."""


def stacks() -> list[Stack]:
    ignoring = IgnoreRule(group="apps", kind="Deployment", pointers=("/spec/replicas",))
    policies = [
        Policy(prune=Prune.ALWAYS, on_remove=OnRemove.DELETE, ignore=(ignoring,)),
        Policy(prune=Prune.CONFIRM, on_remove=OnRemove.CONFIRM),
        Policy(),
    ]
    return [
        completed(render(FILES, owned_namespace=OwnedNamespace(), policy=policy, timeout=timeout))
        for policy, timeout in zip(policies, (600.0, 90.0, 0.5), strict=True)
    ]


def normal(request: dict[str, Any]) -> dict[str, Any]:
    """Without noise, sets sorted, what is empty left out as protobuf leaves it out."""
    kept = {k: v for k, v in request.items() if k not in NOISE and v not in ([], {}, "", False)}
    for key in ("dependencies", "ignoreChanges"):
        if key in kept:
            kept[key] = sorted(kept[key])
    if "propertyDependencies" in kept:
        kept["propertyDependencies"] = {k: v.get("urns", []) for k, v in kept["propertyDependencies"].items()}
    return kept


def on_the_wire(inputs: dict[str, Any]) -> dict[str, Any]:
    """Numbers are all floats there."""
    values = struct_pb2.Struct()
    values.update(inputs)
    return MessageToDict(values)


def expected(goal: Goal) -> dict[str, Any]:
    """What the SDK sends for a goal."""
    said: dict[str, Any] = {
        "type": goal.type,
        "name": goal.name,
        "parent": goal.parent,
        "custom": goal.custom,
        "object": on_the_wire(goal.inputs),
        "provider": f"{goal.provider}::kubernetes" if goal.provider else "",
        "version": goal.version,
        "dependencies": sorted(goal.dependencies),
        "aliases": [{"urn": urn} for urn in goal.aliases],
        "deletedWith": goal.deleted_with,
        "ignoreChanges": list(goal.ignore_changes),
        "protect": goal.protect,
        "retainOnDelete": goal.retain_on_delete,
    }
    if goal.custom:
        said["propertyDependencies"] = {key: {} for key in goal.inputs}
    if goal.provider:
        said |= {"deleteBeforeReplace": True, "deleteBeforeReplaceDefined": True}
    if goal.timeout is not None:
        said["customTimeouts"] = dict.fromkeys(("create", "update", "delete"), f"{goal.timeout:g}s")
    return said


def as_bytes(requests: dict[str, dict[str, Any]]) -> dict[str, bytes]:
    return {
        urn: orjson.dumps(
            {k: v for k, v in normal(request).items() if k not in PROTOCOL}, option=orjson.OPT_SORT_KEYS
        )
        for urn, request in requests.items()
    }


@pytest.mark.parametrize("stack", stacks(), ids=["delete", "confirm", "keep"])
def test_goals_are_equal_however_they_come_about(stack: Stack) -> None:
    def program() -> None:
        register(Selection(stack=stack, context="kind", kubeconfig="/kube"))

    recorded = registered(program, project="shop", stack="dev-1")
    over_grpc = served(program, project="shop", stack="dev-1")
    way = WayIn(version=plugin_version(), context="kind", kubeconfig="/kube")
    root, *rest = goals(stack, way)
    computed = {goal.urn: expected(goal) for goal in rest}
    parents = {goal.parent for goal in rest if goal.parent == root.urn}
    assert parents == {root.urn}
    assert as_bytes(recorded) == as_bytes(over_grpc)
    assert as_bytes(recorded) == as_bytes(computed)


def test_goals_come_after_what_they_refer_to() -> None:
    for stack in stacks():
        seen: set[str] = {""}
        for goal in goals(stack, WayIn(version="4.0.0")):
            assert {goal.parent, goal.provider, goal.deleted_with} | goal.dependencies <= seen
            seen.add(goal.urn)


def test_the_order_of_resources_in_a_stack_does_not_matter_to_the_program() -> None:
    stack = stacks()[0]
    backwards = replace(stack, resources=stack.resources[::-1])
    one, other = (
        registered(lambda s=s: register(Selection(stack=s)), project="shop", stack="dev-1")
        for s in (stack, backwards)
    )
    assert as_bytes(one) == as_bytes(other)
