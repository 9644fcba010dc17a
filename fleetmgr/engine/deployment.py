"""A state of Pulumi (deployment, version 3) made of goals and of the live objects that they stand for.

``pulumi stack import`` accepts it: everything comes after what it refers to, the manifest carries the digest of its
version, one entry a URN (pkg/resource/deploy/snapshot.go, ``VerifyIntegrity``). What an object holds is what the
Kubernetes provider would have written after reading it (provider.go, ``checkpointObject``).

Secrets are left out: without the key of the stack's secrets provider their values could only be written in the clear.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping

from msgspec import Struct

from fleetmgr.engine.goals import WayIn
from fleetmgr.model.goal import Goal
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ref_of
from fleetmgr.model.urn import PROVIDER_TYPE, STACK_TYPE
from fleetmgr.veiled import Veiled


class Exported(Struct, frozen=True, kw_only=True):
    """``pulumi`` is the version of Pulumi that the state is written as, with its ``v``; ``at`` is RFC 3339; ``outputs``
    are the stack's."""

    pulumi: str
    at: str
    manager: str
    way: WayIn
    outputs: JsonObject


class State(Veiled, frozen=True, kw_only=True):
    """``document`` is what ``pulumi stack import`` reads."""

    VEILED = frozenset({"document"})

    document: JsonObject
    objects: int


def deployment(goals: Iterable[Goal], live: Mapping[str, JsonObject], exported: Exported) -> State:
    """``live`` are the objects by URN; a goal of an object that is not among them is left out."""
    entries = _Entries(live, exported)
    for goal in goals:
        entries.add(goal)
    magic = hashlib.sha256(exported.pulumi.encode()).hexdigest()
    document: JsonObject = {
        "version": 3,
        "deployment": {
            "manifest": {"time": exported.at, "magic": magic, "version": exported.pulumi},
            "resources": list(entries.resources),
            "pending_operations": [],
            "metadata": {},
        },
    }
    return State(document=document, objects=entries.objects)


class _Entries:
    """The resources of a state, in the order of the goals."""

    def __init__(self, live: Mapping[str, JsonObject], exported: Exported) -> None:
        self.resources: list[JsonObject] = []
        self.objects = 0
        self._written: set[str] = set()
        self._live = live
        self._exported = exported
        self._provider = ""

    def add(self, goal: Goal) -> None:
        entry: JsonObject = {"urn": goal.urn, "custom": goal.custom, "type": goal.type}
        if goal.type == STACK_TYPE:
            entry["outputs"] = self._exported.outputs
        elif goal.type == PROVIDER_TYPE:
            entry |= self._provided(goal)
        elif goal.custom:
            body = self._live.get(goal.urn)
            if body is None:
                return
            entry |= self._object(goal, body)
            self.objects += 1
        if goal.parent:
            entry["parent"] = goal.parent
        entry |= {"created": self._exported.at, "modified": self._exported.at}
        self.resources.append(entry)
        self._written.add(goal.urn)

    def _provided(self, goal: Goal) -> JsonObject:
        inputs: JsonObject = {**goal.inputs, "version": self._exported.way.version}
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, goal.urn))
        self._provider = f"{goal.urn}::{identity}"
        return {
            "id": identity,
            "inputs": inputs,
            "outputs": inputs,
            "propertyDependencies": {name: [] for name in goal.inputs},
        }

    def _object(self, goal: Goal, body: JsonObject) -> JsonObject:
        ref = ref_of(body)
        entry: JsonObject = {
            "id": f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name,
            "inputs": goal.inputs,
            "outputs": {
                "__fieldManager": self._exported.manager,
                "__initialApiVersion": ref.api_version,
                "__inputs": goal.inputs,
                **body,
            },
            "provider": self._provider,
            "dependencies": sorted(goal.dependencies & self._written),
            "propertyDependencies": {name: [] for name in goal.inputs},
        }
        if goal.deleted_with in self._written:
            entry["deletedWith"] = goal.deleted_with
        if goal.protect:
            entry["protect"] = True
        if goal.retain_on_delete:
            entry["retainOnDelete"] = True
        if goal.ignore_changes:
            entry["ignoreChanges"] = list(goal.ignore_changes)
        if goal.timeout is not None:
            entry["customTimeouts"] = dict.fromkeys(("create", "update", "delete"), goal.timeout)
        return entry
