"""Selectors read as k8s.io/apimachinery reads them; cases are from its selector_test.go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.model.selector import SelectorError, parse_selector, selector_of


@pytest.mark.parametrize(
    "text",
    ["x=a,y=b,z=c", "", "x!=a,y=b", "x=", "x= ", "x=,z= ", "x= ,z= ", "!x", "x>1", "x>1,z<5", "x in (a,,b)",
     "in in (in)", "notin", "x==a", "x,!y", "x in (,)", "x notin (a, b) , z", "a.b/c=d"],
)  # fmt: skip
def test_good(text: str) -> None:
    parse_selector(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x=a||y=b", "no label value"),
        ("x==a==b", "found '==', expected: ',' or 'end of string'"),
        ("!x=a", "found '=', expected: ',' or 'end of string'"),
        ("x<a", "must be an integer"),
        ("x in", "found '' expected: '('"),
        ("x in ()", "values set can't be empty"),
        ("x in (a", "expected: ',' or ')'"),
        ("x in (a b)", "found 'b', expected: ',' or ')'"),
        (",x", "found ',', expected: !, identifier, or 'end of string'"),
        ("x,", "found '', expected: identifier after ','"),
        ("!", "found '', expected: identifier"),
        ("x y", "found 'y', expected: in, notin, =, ==, !=, gt, lt"),
        ("x=(a)", "found '(', expected: identifier"),
        ("-x=a", "no label key"),
        ("x=" + "a" * 64, "no label value"),
    ],
)
def test_bad(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_selector(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("", {"x": "y"}, True),
        ("x=y", {"x": "y"}, True),
        ("x=y,z=w", {"x": "y", "z": "w"}, True),
        ("x!=y,z!=w", {"x": "z", "z": "a"}, True),
        ("x!=y", {}, True),
        ("notin=in", {"notin": "in"}, True),
        ("x", {"x": "z"}, True),
        ("!x", {"y": "z"}, True),
        ("x>1", {"x": "2"}, True),
        ("x<1", {"x": "0"}, True),
        ("x=z", {}, False),
        ("x=", {"x": ""}, True),
        ("x=", {}, False),
        ("x in (a,b)", {"x": "b"}, True),
        ("x in (a,b)", {}, False),
        ("x notin (a,b)", {}, True),
        ("x in (a,)", {"x": ""}, True),
        ("x>1", {"x": "one"}, False),
        ("!x", {"x": ""}, False),
    ],
)
def test_matches(text: str, labels: dict[str, str], *, matches: bool) -> None:
    assert parse_selector(text).matches(labels) is matches


def test_a_map_means_equality() -> None:
    selector = selector_of({"a": "b", "c": ""})
    assert selector.matches({"a": "b", "c": ""})
    assert not selector.matches({"a": "b"})
    with pytest.raises(SelectorError):
        selector_of({"a b": "c"})


@given(st.text(alphabet="ab=!<>(), in\tnotin.-/", max_size=30))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parse_selector(text)
    except SelectorError:
        return


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "x", "y", "1", "2"]))


@given(LABELS, LABELS)
def test_a_map_matches_exactly_its_supersets(wanted: dict[str, str], labels: dict[str, str]) -> None:
    assert selector_of(wanted).matches(labels) == (wanted.items() <= labels.items())
    text = ",".join(f"{k}={v}" for k, v in wanted.items())
    assert parse_selector(text).matches(labels) == (wanted.items() <= labels.items())
