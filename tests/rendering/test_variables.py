"""``${...}`` in manifests: types, escapes, errors that help, secrets that stay secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.errors import InvalidInput
from tests.rendering.builders import bare, render, render_one

VARIABLES: dict[str, Any] = {
    "cluster": {
        "name": "dev-1",
        "vars": {"domain": "dev.example"},
        "labels": {"topology.kubernetes.io/zone": "a", "region": "kr"},
    },
    "environment": {"name": "dev"},
    "app": {"name": "web"},
    "fleet": {"name": "shop"},
    "vars": {
        "replicas": 3,
        "ratio": 0.5,
        "debug": True,
        "none": None,
        "text": "5",
        "hosts": ["a", "b"],
        "labels": {"x": "y"},
        "nested": {"deep": {"er": 1}},
        "tricky": "${vars.text} $${x}",
    },
}


def spec(value: str, **changes: Any) -> Any:
    text = f"apiVersion: e.com/v1\nkind: W\nmetadata: {{name: a}}\nspec:\n  x: {value}\n"
    return bare(render_one(text, variables=VARIABLES, **changes))["spec"]["x"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${vars.replicas}", 3),
        ("${vars.ratio}", 0.5),
        ("${vars.debug}", True),
        ("${vars.text}", "5"),
        ("${vars.hosts}", ["a", "b"]),
        ("${vars.labels}", {"x": "y"}),
        ("${ vars.replicas }", 3),
        ('"${vars.replicas}"', "3"),
        ("'${vars.debug}'", "true"),
        ('"${vars.ratio}"', "0.5"),
        ('"${vars.none}"', ""),
        ("a-${vars.replicas}-b", "a-3-b"),
        ("${vars.replicas}${vars.text}", "35"),
        ("web.${cluster.vars.domain}", "web.dev.example"),
        ("${cluster.labels.topology.kubernetes.io/zone}", "a"),
        ("${vars.nested.deep.er}", 1),
        ("${fleet.name}/${cluster.name}/${environment.name}/${app.name}", "shop/dev-1/dev/web"),
        ("$${vars.replicas}", "${vars.replicas}"),
        ("$${x}-${vars.text}", "${x}-5"),
        ("$$${x}", "$${x}"),
        ("$5 $x $(x) $", "$5 $x $(x) $"),
        ("${vars.tricky}", "${vars.text} $${x}"),
        ("'${unfinished'", "${unfinished"),
        ("|\n    a: ${vars.text}\n    b", "a: 5\nb\n"),
    ],
)
def test_values(written: str, expected: object) -> None:
    found = spec(written)
    assert found == expected
    assert type(found) is type(expected)


def test_a_null_variable_is_a_null_field() -> None:
    text = "apiVersion: e.com/v1\nkind: W\nmetadata: {name: a}\nspec: {y: 1}\nz: ${vars.none}\n"
    assert "z" not in render_one(text, variables=VARIABLES).inputs


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("${vars.replcas}", "`${vars.replcas}` is not defined", "did you mean `${vars.replicas}`"),
        ("${vars.qqqqqqqqqqqq}", "`${vars.qqqqqqqqqqqq}` is not defined", "defined there: `${vars."),
        ("${HOME}", "`${HOME}` is not defined", "write `$${...}` to keep it"),
        ("${vars}", "`${vars}` is not defined", "substitute: false"),
        ("${X:-default}", "`${X:-default}` is not defined", "fleetmgr.dev/substitute"),
        ("'${}'", "`${}` is not defined", ""),
        ("a${vars.hosts}", "is a list or a mapping", "whole, unquoted"),
        ("${vars.text.x}", "is not defined", ""),
    ],
)
def test_what_is_not_defined_is_an_error_with_its_place(written: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        spec(written)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert str(problem.where) == "apps/web/a.yaml:5:6 / dev-1 / spec.x"


def test_substitution_can_be_turned_off() -> None:
    assert spec("${HOME} $${x}", substitute=False) == "${HOME} $${x}"
    text = """\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: a, annotations: {fleetmgr.dev/substitute: disabled}}
        data: {script: "echo ${HOME}"}
        """
    assert render_one(text).inputs["data"] == {"script": "echo ${HOME}"}


def test_keys_are_untouched_and_names_are_not() -> None:
    text = """\
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: a-${cluster.name}
          namespace: ns-${environment.name}
        data: {"${vars.text}": x}
        """
    resource = render_one(text, variables=VARIABLES)
    assert resource.name == "ns-dev/a-dev-1"
    assert resource.inputs["data"] == {"${vars.text}": "x"}


def test_a_name_must_stay_text() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${vars.replicas}\n"
    with pytest.raises(InvalidInput, match=r"metadata\.name: must be a string"):
        render_one(text, variables=VARIABLES)


def test_json_strings_count_as_quoted() -> None:
    text = '{"apiVersion": "e.com/v1", "kind": "W", "metadata": {"name": "a"}, "x": "${vars.replicas}"}'
    (resource,) = render({"a.json": text}, variables=VARIABLES).resources
    assert resource.inputs["x"] == "3"


def test_anchored_values_are_filled_in_everywhere() -> None:
    text = """\
        apiVersion: e.com/v1
        kind: W
        metadata: {name: a}
        spec:
          a: &a
            host: ${cluster.vars.domain}
            size: 1
          b: *a
          c: {<<: *a, size: 2}
          d: {<<: *a, host: own}
        """
    host = {"host": "dev.example", "size": 1}
    assert bare(render_one(text, variables=VARIABLES))["spec"] == {
        "a": host,
        "b": host,
        "c": {**host, "size": 2},
        "d": {"host": "own", "size": 1},
    }


def test_items_of_lists_are_filled_in() -> None:
    text = """\
        apiVersion: v1
        kind: List
        items:
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "${vars.text}"}}
        - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {x: "${app.name}"}}
        """
    resources = render({"a.yaml": text}, variables=VARIABLES).resources
    assert [r.inputs["data"] for r in resources] == [{"x": "5"}, {"x": "web"}]


def test_a_secret_is_never_quoted_in_an_error() -> None:
    text = """\
        apiVersion: v1
        kind: Secret
        metadata: {name: a}
        stringData:
          password: hunter${2canary}
        """
    with pytest.raises(InvalidInput) as caught:
        render_one(text, variables=VARIABLES)
    told = repr(caught.value.problems)
    assert "canary" not in told
    assert "hunter" not in told
    assert "line=5" in told


def test_two_clusters_differ_where_their_variables_do() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: ${vars.x}\n  b: same\n"
    values: list[Any] = [1, True, 1.0, "1", None]
    found = [render_one(text, variables={"vars": {"x": value}}).inputs["data"]["a"] for value in values]
    assert [repr(f) for f in found] == ["1", "True", "1.0", "'1'", "''"]


@given(st.text(alphabet="${}a.vrs \"'"))
def test_escaping_every_dollar_gives_the_text_back(text: str) -> None:
    quoted = "'" + text.replace("'", "''").replace("${", "$${") + "'"
    assert spec(quoted) == text


def test_a_mapping_of_variables_is_never_what_was_meant() -> None:
    with pytest.raises(InvalidInput) as caught:
        spec("${vars.n}")
    assert "`${vars}`" not in (caught.value.problems[0].hint or "")
