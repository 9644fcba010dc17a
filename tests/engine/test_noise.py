"""What of a server's answer is its own doing, and what is ours whatever it looks like."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.engine.compare import changes_between
from fleetmgr.engine.fieldset import apply_fields
from fleetmgr.engine.noise import noise_of, quiet_noise, with_resets
from fleetmgr.model.change import Noise
from fleetmgr.model.jsontypes import JsonObject

US = "fleetmgr:shop"


def body(spec: dict[str, Any], fields: dict[str, Any], *, generation: int = 1) -> JsonObject:
    entry = {"manager": US, "operation": "Apply", "fieldsV1": {"f:spec": fields} if fields else {}}
    return {"metadata": {"generation": generation, "managedFields": [entry]}, "spec": spec}


def judged(before: JsonObject, after: JsonObject) -> Noise | None:
    diff = changes_between(before, after, apply_fields(after, US))
    return noise_of(diff, before, after, US)


A: dict[str, Any] = {"f:a": {}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (body({"a": 1}, A), body({"a": 1, "b": 2}, A), Noise.ADMISSION),
        (body({"a": 1, "b": 1}, A), body({"a": 1, "b": 2}, A), Noise.ADMISSION),
        (body({"a": 1}, A), body({"a": 2, "b": 2}, A), None),
        (body({"a": 1}, A), body({"a": 2}, A), None),
        # ours before, and let go of now
        (body({"a": 1, "b": 1}, {"f:a": {}, "f:b": {}}), body({"a": 1}, A), None),
        (body({"a": 1, "b": 1}, {"f:a": {}, "f:b": {}}), body({"a": 1, "b": 9}, A), None),
        # an atomic map is ours as a whole: what somebody added to it goes
        (body({"a": {"x": 1, "theirs": 1}}, {}), body({"a": {"x": 1}}, A), None),
        # an item of a keyed list that nobody of ours names
        (
            body({"a": [{"name": "x"}]}, {"f:a": {'k:{"name":"x"}': {".": {}, "f:name": {}}}}),
            body(
                {"a": [{"name": "x"}, {"name": "side"}]}, {"f:a": {'k:{"name":"x"}': {".": {}, "f:name": {}}}}
            ),
            Noise.ADMISSION,
        ),
        # the order of a list that holds items of ours
        (
            body({"a": [{"name": "x"}, {"name": "y"}]}, {"f:a": {'k:{"name":"x"}': {".": {}}}}),
            body({"a": [{"name": "y"}, {"name": "x"}]}, {"f:a": {'k:{"name":"x"}': {".": {}}}}),
            None,
        ),
        # nobody can tell
        (body({"a": 1}, A), {"metadata": {}, "spec": {"a": 1, "b": 2}}, None),
    ],
)
def test_only_what_is_and_was_nobodys_of_us_is_noise(
    before: JsonObject, after: JsonObject, expected: Noise | None
) -> None:
    assert judged(before, after) is expected


def test_a_field_that_git_stops_naming_and_the_server_sets_is_reset() -> None:
    before = body({"a": 1, "b": 5, "c": 1}, {"f:a": {}, "f:b": {}, "f:c": {}})
    after = body({"a": 2, "b": 1, "d": 1}, A)
    diff = with_resets(changes_between(before, after, {}), before, after, US)
    assert {d.path: d.reset for d in diff} == {
        "/spec/a": False,
        "/spec/b": True,
        "/spec/c": False,
        "/spec/d": False,
    }


def test_what_changes_nothing_has_a_reason_all_the_same() -> None:
    same, risen = body({}, A), body({}, A, generation=2)
    differing = changes_between(body({"a": 1}, A), body({"a": "1"}, A), {})
    assert quiet_noise((), same, same) is None
    assert quiet_noise(differing, same, same) is Noise.REWRITTEN
    assert quiet_noise(differing, same, risen) is Noise.GENERATION
