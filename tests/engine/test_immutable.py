"""Refusals of a real kube-apiserver (1.34, server-side apply by dry run) and what they mean for a plan.

``data/refusals.jsonl``: one answer a line, with the paths in which desired and live differed, and the fields that
are to be named. Collected by applying an object and then a changed one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleetmgr.adapters.kube.answers import error_for
from fleetmgr.adapters.kube.calls import Answer, Call
from fleetmgr.engine.immutable import JOB, PRECIOUS, STATEFUL_SET, dotted, immutable_fields, may_replace
from fleetmgr.model.change import FieldDiff
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.policy import Replace
from fleetmgr.model.refusal import Cause
from fleetmgr.ports.cluster_errors import ObjectInvalid

LINES = (Path(__file__).parent / "data" / "refusals.jsonl").read_text(encoding="utf-8").splitlines()
CASES: list[dict[str, Any]] = [json.loads(line) for line in LINES]
OTHER_REASONS = {
    "cr-cel-grow",
    "cr-max",
    "cr-note-removed",
    "namespace-finalizer",
    "deployment-invalid",
}
DEPLOYMENT = GroupKind("apps", "Deployment")


def refusal(status: dict[str, Any], kind: str = "ConfigMap") -> ObjectInvalid:
    call = Call(
        method="PATCH", path="/", verb="patch", subject="x", hidden=frozenset() if kind == "Secret" else None
    )
    answer = Answer(status=422, headers={}, body=json.dumps(status).encode())
    error = error_for(answer, call, "dev-1")
    assert isinstance(error, ObjectInvalid)
    return error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_real_answers(case: dict[str, Any]) -> None:
    error = refusal(case["status"])
    diff = [FieldDiff(path=path) for path in case["diff"]]
    fields = immutable_fields(error.causes, error.message, diff)
    assert list(fields) == case["fields"]
    assert bool(fields) is (case["case"] not in OTHER_REASONS)


def test_enough_kinds_were_asked() -> None:
    assert len({case["status"]["details"]["kind"] for case in CASES if case["fields"]}) >= 25


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["case"].startswith("secret")], ids=lambda c: c["case"]
)
def test_no_value_of_a_secret_is_in_a_cause(case: dict[str, Any]) -> None:
    error = refusal(case["status"], "Secret")
    for text in (error.message, *(cause.detail for cause in error.causes)):
        assert "c2Vjcm" not in text
        assert "other-secret" not in text
        assert "example.com/other" not in text


def test_a_value_that_speaks_of_immutability_is_not_listened_to() -> None:
    message = 'Invalid value: "an immutable: thing": must be a URL'
    status = {
        "kind": "Status",
        "reason": "Invalid",
        "message": message,
        "details": {"causes": [{"field": "spec.url", "message": message}]},
    }
    error = refusal(status)
    assert error.causes == (Cause(field="spec.url", detail="must be a URL"),)
    assert immutable_fields(error.causes, error.message, [FieldDiff(path="/spec/url")]) == ()


def test_a_claim_shows_its_diff_and_only_the_sentence_before_it_counts() -> None:
    cause = Cause(field="spec", detail="is wrong\n-  immutable\n+  other")
    assert immutable_fields([cause], "", [FieldDiff(path="/spec/x")]) == ()


def test_admission_names_no_field_so_the_differing_ones_are_named() -> None:
    message = 'admission webhook "v.example.com" denied the request: spec.engine is immutable'
    assert immutable_fields([], message, [FieldDiff(path="/spec/engine")]) == ("/spec/engine",)
    assert immutable_fields([], "denied the request: no", [FieldDiff(path="/spec/engine")]) == ()


def test_many_fields_are_counted() -> None:
    assert dotted(["/spec/a"]) == "spec.a"
    assert dotted(["/spec/a", "/spec/b"]) == "spec.a and spec.b"
    assert dotted([f"/spec/{n}" for n in range(9)]) == "spec.0, spec.1, spec.2 and 6 more fields"


@pytest.mark.parametrize(
    ("kind", "policy", "annotation", "force", "given", "forced"),
    [
        (DEPLOYMENT, Replace.ASK, None, False, False, False),
        (DEPLOYMENT, Replace.ASK, None, True, True, True),
        (DEPLOYMENT, Replace.ALWAYS, None, False, True, False),
        (DEPLOYMENT, Replace.ALWAYS, None, True, True, False),
        (DEPLOYMENT, Replace.ASK, "always", False, True, False),
        (DEPLOYMENT, Replace.ALWAYS, "ask", False, False, False),
        (DEPLOYMENT, Replace.ALWAYS, "ask", True, True, True),
        (DEPLOYMENT, Replace.ALWAYS, "never", True, False, False),
        (DEPLOYMENT, Replace.NEVER, None, True, False, False),
        (DEPLOYMENT, Replace.NEVER, "always", True, False, False),
        (DEPLOYMENT, Replace.ALWAYS, "yes", True, False, False),
        (JOB, Replace.ASK, None, False, True, False),
        (JOB, Replace.ASK, "ask", False, False, False),
        (JOB, Replace.NEVER, None, False, False, False),
        (STATEFUL_SET, Replace.ALWAYS, None, False, False, False),
        (STATEFUL_SET, Replace.ALWAYS, None, True, True, True),
        (STATEFUL_SET, Replace.ASK, "always", False, True, False),
    ],
)
def test_who_may_replace(
    kind: GroupKind,
    policy: Replace,
    annotation: str | None,
    force: bool,
    given: bool,
    forced: bool,
) -> None:
    said = may_replace(kind, policy, annotation, force=force)
    assert (said.given, said.forced) == (given, forced)
    assert bool(said.advice) is not given


def test_precious_kinds_say_what_it_takes() -> None:
    for kind in PRECIOUS:
        advice = may_replace(kind, Replace.ALWAYS, None, force=False).advice
        assert "--force" in advice
        assert "not enough" in advice
