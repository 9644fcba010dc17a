"""Every difference that matters is worded, and only those."""

from __future__ import annotations

from typing import Any

from fleetmgr.engine.compare import changes_between
from fleetmgr.model.jsontypes import JsonObject


def container(*names: str) -> dict[str, Any]:
    env = [{"name": name, "value": name.lower()} for name in names]
    return {"spec": {"containers": [{"name": "main", "env": env}]}}


def test_the_order_of_a_keyed_list_is_a_change() -> None:
    (diff,) = changes_between(container("A", "B"), container("B", "A"), {})
    assert (diff.path, diff.old, diff.new) == (
        "/spec/containers/[name=main]/env",
        ["[name=A]", "[name=B]"],
        ["[name=B]", "[name=A]"],
    )


def test_what_comes_and_goes_is_no_change_of_order() -> None:
    diffs = changes_between(container("A", "B", "C"), container("X", "A", "C"), {})
    assert [d.path.rsplit("/", 1)[1] for d in diffs] == ["[name=B]", "[name=X]"]


def test_what_moves_by_itself_is_no_change() -> None:
    before = {"metadata": {"name": "a", "generation": 1, "resourceVersion": "1"}, "status": {"x": 1}}
    after = {"metadata": {"name": "a", "generation": 2, "resourceVersion": "2"}, "status": {"x": 2}}
    assert changes_between(before, after, {}) == ()


def test_the_order_of_a_set_is_no_change() -> None:
    fields: JsonObject = {"f:spec": {"f:tags": {'v:"a"': {}, 'v:"b"': {}}}}
    before: JsonObject = {"spec": {"tags": ["a", "b"]}}
    assert changes_between(before, {"spec": {"tags": ["b", "a"]}}, fields) == ()
    assert len(changes_between(before, {"spec": {"tags": ["b"]}}, fields)) == 1
    assert len(changes_between(before, {"spec": {"tags": ["b", "a"]}}, {})) == 2
