"""Scalars by YAML 1.2's core schema; equal keys, odd keys and odd tags are problems with a place."""

from __future__ import annotations

import pytest

from fleetmgr.errors import InvalidInput, Problem
from fleetmgr.spec.yaml_tree import read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("on", "on"), ("y", "y"), ("0o17", 15), ("012", 12), ("0x1F", 31), ("1e3", 1000.0),
        ("12:30:00", "12:30:00"), ("2026-01-02", "2026-01-02"), ("1.20", 1.2), ("'1'", "1"), ('"2"', "2"),
        ("~", None), ("null", None), ("", None), ("''", ""), ("true", True), ("TRUE", True), ("tRue", "tRue"),
        ("1_000", "1_000"), ("0b1", "0b1"), ("-0x1", "-0x1"), ("+1", 1), (".5", 0.5), ("5.", 5.0),
        (".", "."), ("!!str 12", "12"), ("!!float 1", 1.0), ("!!int '12'", 12), ("-1", -1),
    ],
)  # fmt: skip
def test_scalars(text: str, value: object) -> None:
    found: list[Problem] = []
    _, data = read(f"a: {text}".encode(), name="x", problems=found)
    assert not found
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("a: 1\nb: {a: 1, a: 2}\n", "duplicate key `a`, first at x:2:5", "x:2:11"),
        ("a: 1\n? [b]\n: 2\n", "a key must be a plain word", "x:2:3"),
        ("a: &a {b: 1}\nc: {<<: *a}\n", "merge keys", "x:2:5"),
        ("a: .inf\n", "no JSON number", "x:1:4"),
        ("a: 1e999\n", "too large", "x:1:4"),
        (f"a: {'9' * 5000}\n", "too large", "x:1:4"),
        ("a: !!int x\n", "`x` is no int", "x:1:4"),
        ("a: !!seq {}\n", "its tag says otherwise", "x:1:4"),
    ],
)
def test_problems(text: str, message: str, at: str) -> None:
    found: list[Problem] = []
    read(text.encode(), name="x", problems=found)
    (problem,) = found
    assert message in problem.message
    assert str(problem.where) == at


def test_keys_are_text_and_aliases_are_shared() -> None:
    found: list[Problem] = []
    root, data = read(b"1: a\nNO: &x {b: c}\ntrue: *x\n", name="x", problems=found)
    assert data == {"1": "a", "NO": {"b": "c"}, "true": {"b": "c"}}
    assert data["NO"] is data["true"]
    assert root is not None
    assert str(root.walk("NO", "b").where()) == "x:2:12"
    assert not found


def test_an_anchor_that_is_set_twice_is_told_where() -> None:
    with pytest.raises(InvalidInput) as caught:
        read(b"a: &x 1\nb: &x 2\n", name="x", problems=[])
    (problem,) = caught.value.problems
    assert "duplicate anchor" in problem.message
    assert str(problem.where) == "x:2:4"
