"""Health rules of fleet.yaml: what they decide, what they may cost, how they fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleetmgr.errors import InvalidInput
from fleetmgr.health.custom import CustomRules
from fleetmgr.health.rules import has_rule, health_of
from fleetmgr.model.health import Health
from fleetmgr.spec import load
from fleetmgr.spec.health import KindHealth
from tests.health.objects import body

FLEET = """\
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: hello
environments: [{name: dev}]
clusters: [{name: dev-1, environment: dev}]
apps: []
health:
"""


def judged(live: dict[str, Any], *rules: dict[str, str], default: str | None = None) -> Health:
    entry = {"group": "example.com", "kind": "Widget", "rules": list(rules), "default": default}
    return health_of(live, CustomRules([KindHealth.model_validate(entry)]))


def widget(**status: Any) -> dict[str, Any]:
    return body("example.com/v1", "Widget", status)


DOWN = {"status": "Degraded", "when": "has(self.status.up) && !self.status.up", "message": "is down"}


def test_the_first_rule_that_holds_decides() -> None:
    always = {"status": "Suspended", "when": "true"}
    assert judged(widget(up=False), DOWN, always) == Health(status="Degraded", message="is down")  # type: ignore[arg-type]
    assert judged(widget(up=True), DOWN, always).status.value == "Suspended"


def test_without_a_match_the_default_holds_else_the_built_in_judgement() -> None:
    stalled = widget(conditions=[{"type": "Stalled", "status": "True"}])
    assert judged(stalled, DOWN, default="Healthy").status.value == "Healthy"
    assert judged(stalled, DOWN).status.value == "Degraded"


def test_a_rule_goes_before_the_built_in_one() -> None:
    entry = {"group": "apps", "kind": "Deployment", "rules": [{"status": "Healthy", "when": "true"}]}
    custom = CustomRules([KindHealth.model_validate(entry)])
    assert health_of(body("apps/v1", "Deployment", {}), custom).status.value == "Healthy"
    assert health_of(None, custom).status.value == "Missing"
    core = CustomRules([KindHealth.model_validate({**entry, "group": "", "kind": "ConfigMap"})])
    assert has_rule("", "ConfigMap", core)
    assert not has_rule("", "ConfigMap")


def test_a_message_may_be_an_expression() -> None:
    rule = {
        "status": "Progressing",
        "when": "true",
        "messageExpression": "'ready ' + string(object.status.ready)",
    }
    assert judged(widget(ready=3), rule).message == "ready 3"


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("self.status.phase == 'x'", "no field 'phase'"),
        ("self.status.up + 1 > 0", "rule 1"),
        ("1", "int, not true or false"),
        ("nothing(self)", "nothing"),
        ("1 / 0 == 1", "division"),
        ("self.status.list.all(x, x > 0)", "5001 items"),
        ("self.status.list.exists(x, self.status.list.exists(y, x == y))", "these rules allow"),
    ],
)
def test_a_rule_that_fails_is_unknown_and_says_why(when: str, message: str) -> None:
    health = judged(widget(up=True, list=list(range(5001))), {"status": "Healthy", "when": when})
    assert health.status.value == "Unknown"
    assert message in health.message


BAD = [
    ("1 +", "FLT-1030", "Syntax error"),
    ("self.", "FLT-1030", "Syntax error"),
    ("spec.replicas == 1", "FLT-1030", "no variable `spec`"),
    ("(" * 1500, "FLT-1030", ""),
    ("self.a.all(x, self.a.all(y, self.a.all(z, true)))", "FLT-1031", "nested 3 deep"),
    (" || ".join(["self.a.exists(x, x == ')(')"] * 9), "FLT-1031", "9 comprehensions"),
    ("true" + " || true" * 400, "FLT-1031", "2000 characters"),
]


@pytest.mark.parametrize(("when", "code", "message"), BAD)
def test_expressions_are_checked_when_the_fleet_is_loaded(
    tmp_path: Path, when: str, code: str, message: str
) -> None:
    rules = f'  - {{group: example.com, kind: Widget, rules: [{{status: Degraded, when: "{when}"}}]}}\n'
    (tmp_path / "fleet.yaml").write_text(FLEET + rules)
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path / "fleet.yaml")
    (problem,) = caught.value.problems
    assert (problem.code, str(problem.where)) == (code, "fleet.yaml:8:73")
    assert message in problem.message


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{kind: Widget, rules: [{status: Fine, when: 'true'}]}", "`status` must be"),
        ("{kind: Widget, rules: [{status: Healthy}]}", "when"),
    ],
)
def test_the_form_is_checked(tmp_path: Path, rule: str, message: str) -> None:
    (tmp_path / "fleet.yaml").write_text(f"{FLEET.rstrip()} [{rule}]\n")
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path / "fleet.yaml")
    assert message in str(caught.value)


def test_a_kind_is_given_once(tmp_path: Path) -> None:
    entry = "{kind: Widget, rules: [{status: Healthy, when: 'true'}]}"
    (tmp_path / "fleet.yaml").write_text(f"{FLEET.rstrip()} [{entry}, {entry}]\n")
    with pytest.raises(InvalidInput, match=r"given twice, first at fleet\.yaml:7:17"):
        load(tmp_path / "fleet.yaml")


def test_two_levels_of_comprehension_are_fine(tmp_path: Path) -> None:
    when = "self.a.exists(x, x.b.exists(y, y == ')')) && self.c.map(z, z).size() > 0"
    (tmp_path / "fleet.yaml").write_text(
        FLEET + f'  - {{kind: Widget, rules: [{{status: Degraded, when: "{when}"}}]}}\n'
    )
    assert load(tmp_path / "fleet.yaml").fleet.health[0].rules[0].when == when


def test_a_fleet_without_rules_does_not_load_cel(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET + "  []\n")
    code = "import sys, pathlib; from fleetmgr.operations import status; from fleetmgr.spec import load; "
    code += f"load(pathlib.Path({str(tmp_path / 'fleet.yaml')!r})); "
    code += "print(any(name.split('.')[0] == 'cel' for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
