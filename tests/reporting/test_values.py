"""Paths, values and escapes, as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.model.change import FieldDiff
from fleetmgr.model.jsontypes import Json
from fleetmgr.reporting.escape import cut, visible
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.values import dotted, field_lines, shown
from tests.reporting.fleets import CANARY, SECRET, WEB


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/spec/replicas", "spec.replicas"),
        ("/spec/template/spec/containers/[name=web]/image", "spec.template.spec.containers[name=web].image"),
        ("/spec/containers[name=web]/image", "spec.containers[name=web].image"),
        (
            "/spec/ports/[containerPort=80,protocol=TCP]/name",
            "spec.ports[containerPort=80,protocol=TCP].name",
        ),
        ("/metadata/labels/app.kubernetes.io~1name", 'metadata.labels["app.kubernetes.io/name"]'),
        ("/spec/args/0", "spec.args[0]"),
        ("/data/a~0b", 'data["a~b"]'),
        ("/data/evil\x1b[31m", 'data["evil\\x1b[31m"]'),
        ("", "(whole object)"),
    ],
)
def test_pointers_are_dotted(pointer: str, expected: str) -> None:
    assert dotted(pointer) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("nginx:1.27", "nginx:1.27"),
        (2, "2"),
        ("2", '"2"'),
        ("true", '"true"'),
        (True, "true"),
        (None, "null"),
        ("", '""'),
        (" x", '" x"'),
        ({"a": ["b"]}, '{"a": ["b"]}'),
        ("안녕", "안녕"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("a\r\x08b\x9b", "a\\r\\x08b\\x9b"),
        ("x" * 100, "x" * 80 + "... (100 characters)"),
    ],
)
def test_values_are_shown_on_one_line(value: Json, expected: str) -> None:
    assert shown(value) == expected


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert visible(text).isprintable()


def test_cutting_says_how_much_there_was() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "abc... (4 characters)"


@pytest.mark.parametrize(
    ("diff", "expected"),
    [
        (FieldDiff(path="/spec/replicas", old=2, new=5), ["~ spec.replicas: 2 -> 5"]),
        (FieldDiff(path="/spec/paused", new=True), ["+ spec.paused: true"]),
        (FieldDiff(path="/spec/paused", old=True), ["- spec.paused: true"]),
        (
            FieldDiff(path="/data/conf", old="a\nb\nc\n", new="a\nB\nc\n"),
            ["~ data.conf:", "    @@ -1,3 +1,3 @@", "     a", "    -b", "    +B", "     c"],
        ),
        (FieldDiff(path="/x", old=CANARY, new="y", sensitive=True), ["~ x: (sensitive)"]),
        (
            FieldDiff(
                path="/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration", old=CANARY
            ),
            ['~ metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]: (sensitive)'],
        ),
    ],
)
def test_fields(diff: FieldDiff, expected: list[str]) -> None:
    assert field_lines(WEB, diff, PLAIN) == expected


def test_a_long_text_diff_is_cut() -> None:
    old, new = "\n".join("a" * 30), "\n".join("b" * 30)
    lines = field_lines(WEB, FieldDiff(path="/data/x", old=old, new=new), PLAIN)
    assert len(lines) == 22
    assert lines[-1] == "    ... 41 more lines"


@pytest.mark.parametrize(
    "path",
    ["/data/password", "/stringData/password", "/data", "", "/metadata", "/metadata/annotations", "/x"],
)
def test_values_of_secrets_are_hidden_whatever_the_path(path: str) -> None:
    (line,) = field_lines(SECRET, FieldDiff(path=path, old=CANARY, new=CANARY + "\n2"), PLAIN)
    assert CANARY not in line
    assert "(sensitive)" in line


def test_labels_and_type_of_secrets_are_shown() -> None:
    lines = field_lines(SECRET, FieldDiff(path="/metadata/labels/tier", old="a", new="b"), PLAIN)
    assert lines == ["~ metadata.labels.tier: a -> b"]


def test_paint_is_off_by_default() -> None:
    assert PLAIN("red", "x") == "x"
    assert Paint(enabled=True)("red", "x") == "\x1b[31mx\x1b[0m"
