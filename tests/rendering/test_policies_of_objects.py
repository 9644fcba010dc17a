"""What manifests say about how they are to be applied is checked where they are read."""

from __future__ import annotations

import pytest

from fleetmgr.errors import InvalidInput
from fleetmgr.model.policy import IgnoreRule, Policy
from tests.rendering.builders import render, render_one

CONFIG = """\
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: a, annotations: {fleetmgr.dev/on-conflict: VALUE}}
    """


def test_the_annotation_about_conflicts_must_be_a_policy() -> None:
    render_one(CONFIG.replace("VALUE", "keep-theirs"))
    with pytest.raises(InvalidInput) as caught:
        render({"a.yaml": CONFIG.replace("VALUE", "sometimes")})
    (problem,) = caught.value.problems
    assert problem.code == "FLT-1112"
    assert "`sometimes` is none of keep-theirs, take, fail" in problem.message


def test_a_rule_about_no_object_is_a_warning() -> None:
    rules = (IgnoreRule(kind="ConfigMap"), IgnoreRule(kind="Deployment", group="apps"))
    stack = render({"a.yaml": CONFIG.replace("VALUE", "take")}, policy=Policy(ignore=rules))
    (warning,) = stack.warnings
    assert warning.code == "FLT-1113"
    assert "no object is apps/Deployment" in warning.message
