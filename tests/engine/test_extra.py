"""Live fields that are not in Git: others' and nobody's, but for known defaults."""

from __future__ import annotations

from typing import Any

from fleetmgr.engine.extra import extra_fields
from fleetmgr.model.change import ExtraField
from fleetmgr.model.jsontypes import JsonObject

US = "fleetmgr:shop"


def entry(manager: str, fields: dict[str, Any], time: str = "") -> dict[str, Any]:
    operation = "Apply" if manager == US else "Update"
    return {"manager": manager, "operation": operation, "time": time, "fieldsV1": fields}


def live(spec: dict[str, Any], *entries: dict[str, Any], **more: Any) -> JsonObject:
    metadata = {"name": "a", "namespace": "b", "managedFields": list(entries), "uid": "u"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec, **more}


def found(desired: dict[str, Any], body: JsonObject) -> dict[str, tuple[Any, str]]:
    wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": desired}
    return {field.path: (field.value, field.manager) for field in extra_fields(wanted, body, US)}


def test_what_others_and_nobody_set_is_told_and_what_is_ours_is_not() -> None:
    ours = entry(US, {"f:spec": {"f:a": {}, "f:gone": {}}})
    theirs = entry("kubectl-edit", {"f:spec": {"f:b": {}}}, "2026-11-20T10:00:00Z")
    body = live({"a": 1, "gone": 1, "b": 2, "c": 3}, ours, theirs, status={"x": 1})
    assert found({"a": 1}, body) == {"/spec/b": (2, "kubectl-edit"), "/spec/c": (3, "")}


def test_known_defaults_of_nobody_are_left_out_and_those_that_somebody_set_are_not() -> None:
    ours = entry(US, {"f:spec": {"f:a": {}}})
    body = live({"a": 1, "revisionHistoryLimit": 10, "clusterIP": "10.0.0.1", "securityContext": {}}, ours)
    assert found({"a": 1}, body) == {}
    theirs = entry("kubectl-edit", {"f:spec": {"f:revisionHistoryLimit": {}}})
    body = live({"a": 1, "revisionHistoryLimit": 10}, ours, theirs)
    assert found({"a": 1}, body) == {"/spec/revisionHistoryLimit": (10, "kubectl-edit")}


def test_items_of_keyed_lists_and_members_of_sets() -> None:
    item: dict[str, Any] = {".": {}, "f:name": {}, "f:image": {}}
    ours = entry(US, {"f:spec": {"f:l": {'k:{"name":"x"}': item}, "f:s": {'v:"x"': {}}}})
    side = {"name": "side", "image": "s"}
    body = live({"l": [{"name": "x", "image": "i", "env": 1}, side], "s": ["x", "y"], "atomic": [1, 2]}, ours)
    desired = {"l": [{"name": "x", "image": "i"}], "s": ["x"], "atomic": [1]}
    assert found(desired, body) == {
        "/spec/l/[name=x]/env": (1, ""),
        "/spec/l/[name=side]": (side, ""),
        "/spec/s/[=y]": ("y", ""),
    }


def test_values_of_a_secret_are_not_there() -> None:
    ours = entry(US, {"f:data": {"f:a": {}}})
    body = {
        **live({}, ours, data={"a": "x", "b": "hunter2-CANARY"}),
        "apiVersion": "v1",
        "kind": "Secret",
    }
    wanted: JsonObject = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"a": "x"}}
    fields = extra_fields(wanted, body, US)
    assert fields == (ExtraField(path="/data/b", sensitive=True),)
    assert "CANARY" not in str(extra_fields({**wanted, "data": None}, body, US))
