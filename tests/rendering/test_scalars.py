"""Unquoted scalars mean what kubectl takes them for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetmgr.errors import InvalidInput
from fleetmgr.rendering.yaml_reader import read_yaml
from tests.rendering.kubectl import as_read

HEAD = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec:\n"

TABLE = {
    "12:30:00": "12:30:00",
    "1:30": "1:30",
    "2026-01-02": "2026-01-02",
    "2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z",
    "1e3": 1000,
    "1.5e3": 1500,
    "1e-3": 0.001,
    "0o17": 15,
    "0O17": 15,
    "012": 10,
    "0644": 420,
    "089": 89,
    "1_000": 1000,
    "0x1F": 31,
    "-0x1f": -31,
    "0b101": 5,
    "-0b101": -5,
    "+5": 5,
    "-5": -5,
    "y": True,
    "Y": True,
    "yes": True,
    "on": True,
    "On": True,
    "n": False,
    "NO": False,
    "off": False,
    "True": True,
    "tRue": "tRue",
    "~": None,
    "null": None,
    "Null": None,
    "nULL": "nULL",
    "1.0": 1,
    "1.20": 1.2,
    "1.": 1,
    ".5": 0.5,
    ".5e1": 5,
    "1.2.3": "1.2.3",
    "1e400": "1e400",
    "9223372036854775807": 9223372036854775807,
    "-9223372036854775808": -9223372036854775808,
    "1e20": 1e20,
    "0x": "0x",
    "0_7": 7,
    "1__0": 10,
    "_1": "_1",
    "0.1_5": 0.15,
    "--5": "--5",
    "+": "+",
    "1k": "1k",
    "100m": "100m",
    "0x1p4": "0x1p4",
    "Infinity": "Infinity",
    "nan": "nan",
    "=": "=",
    "08": 8,
    "00": 0,
    "-0": 0,
    "1,000": "1,000",
    "0xFFFFFFFFFFFFFFFF": 18446744073709551615.0,
    "18446744073709551615": 18446744073709551615.0,
    "18446744073709551616": 18446744073709551616.0,
    "!!str 1": "1",
    "'1'": "1",
    '"yes"': "yes",
    "2026-1-2": "2026-1-2",
    "1e+2": 100,
    "1E2": 100,
    "1.5E-2": 0.015,
}


def ours(text: str) -> object:
    (document,) = read_yaml((HEAD + text).encode(), name="a.yaml")
    return document.value["spec"]


def exact(value: object) -> str:
    """JSON text tells 1 from 1.0 and from true; whole numbers beyond 64 bits are floats."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(("scalar", "expected"), TABLE.items())
def test_the_table(scalar: str, expected: object) -> None:
    assert exact(ours(f"  x: {scalar}\n")) == exact({"x": expected})


def test_kubectl_reads_the_table_alike(tmp_path: Path) -> None:
    lines = "".join(f"  - {scalar}\n" for scalar in TABLE)
    read = as_read(f"{HEAD.removesuffix('spec:' + chr(10))}values:\n{lines}", tmp_path)
    pairs = zip(TABLE, read["values"], TABLE.values(), strict=True)
    assert [(s, exact(k)) for s, k, _ in pairs] == [(s, exact(v)) for s, v in TABLE.items()]


KEYS = (
    "on",
    "1",
    "1.20",
    "0x10",
    "true",
    "2026-01-02",
    "012",
    "1e3",
    "0.1",
    "'yes'",
    "16777217.0",
    "y",
    "1e6",
    "123456.0",
    "1234567.5",
    "0.00001",
    "1.0",
)


def test_kubectl_reads_keys_alike(tmp_path: Path) -> None:
    text = "".join(f"  k{index}: {{{key}: v}}\n" for index, key in enumerate(KEYS))
    assert ours(text) == as_read(HEAD + text, tmp_path)["spec"]


@pytest.mark.parametrize("text", ["  x: .inf\n", "  x: -.INF\n", "  x: .nan\n", "  ~: a\n", "  [a]: b\n"])
def test_what_has_no_json_form_is_an_error_in_both(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        ours(text)
    where = caught.value.problems[0].where
    assert where is not None
    assert where.line == 5
    assert as_read(HEAD + text, tmp_path) is None


STRUCTURES = {
    "merge keys": "  base: &b {a: 1, c: 2}\n  x: {<<: *b, a: 3}\n  y: {<<: [*b, {d: 4, a: 5}]}\n",
    "anchors": "  a: &x [1, {b: c}]\n  d: *x\n",
    "block scalars": "  a: |\n    one\n      two\n  b: >-\n    folded\n    text\n  c: |+\n    keep\n\n",
    "quotes": "  a: 'it''s'\n  b: \"tab\\t\\u00e9\"\n",
    "empty": "  a:\n  b: ''\n  c: []\n  d: {}\n",
    "text": "  a: multi\n    line\n  b: ünïcode\n  c: a#b\n  d: a #b\n",
}


@pytest.mark.parametrize("text", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_kubectl_reads_structures_alike(text: str, tmp_path: Path) -> None:
    assert exact(ours(text)) == exact(as_read(HEAD + text, tmp_path)["spec"])
