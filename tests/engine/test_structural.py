"""Custom resources against the schema of a CRD that the cluster does not have yet.

The cases and their verdicts were run against a kube-apiserver 1.34 (server-side apply, strict); tests/e2e holds the
comparison with a live one.
"""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.engine.structural import schema_of, simulate
from tests.engine.gizmos import CASES, DEFINITION, gizmo


@pytest.mark.parametrize(("content", "refused"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_as_the_api_server_says(content: dict[str, Any], refused: str) -> None:
    schema = schema_of(DEFINITION, "v1")
    assert schema is not None
    problems = simulate(schema, gizmo(content)).problems
    if refused:
        assert problems
        assert problems[0].startswith(refused), problems
    else:
        assert problems == ()


def test_defaults_are_filled_in() -> None:
    schema = schema_of(DEFINITION, "v1")
    assert schema is not None
    body = gizmo({"spec": {"size": "s", "mode": None, "list": [{"k": "a"}]}})
    assert simulate(schema, body).body == {
        **body,
        "spec": {"size": "s", "mode": "auto", "list": [{"k": "a", "v": "d"}], "nest": {"x": 3}},
    }


def test_a_version_that_is_not_served_has_no_schema() -> None:
    assert schema_of(DEFINITION, "v2") is None
    assert schema_of({}, "v1") is None


def test_alternatives() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "n": {"type": "integer"}},
                "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                "not": {"properties": {"n": {"enum": [7]}}, "required": ["n"]},
            }
        },
    }
    assert simulate(schema, gizmo({"spec": {"a": "x"}})).problems == ()
    assert simulate(schema, gizmo({"spec": {"a": "x", "b": "x"}})).problems == (
        "spec: must validate one and only one schema (oneOf)",
    )
    assert simulate(schema, gizmo({"spec": {"a": "x", "n": 7}})).problems == (
        "spec: must not validate the schema (not)",
    )


def test_a_pattern_that_only_go_understands_is_not_judged() -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "string", "pattern": r"^\p{L}+$"}}}
    assert simulate(schema, gizmo({"spec": "x"})).problems == ()
