"""An edit is the entry and nothing else, however the file around it is written."""

from __future__ import annotations

import difflib
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.adapters.fleetfile.insertion import NotKept, deleted, inserted, parsed
from fleetmgr.adapters.fleetfile.writing import Style, flow, scalar
from fleetmgr.model.jsontypes import JsonObject

NEW: JsonObject = {"name": "new", "labels": {"a": "b"}, "dependsOn": ["x"]}


def removed_lines(before: str, after: str) -> list[str]:
    diff = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[2:] for line in diff if line.startswith("- ")]


CASES = {
    "block": """\
        # top
        apps:   # the apps
          - name: a     # first
            labels:   {x:  'y'}
          # about b
          - name: b

        other: "kept"
        """,
    "indentless": """\
        apps:
        - name: a
          labels:
              x: 1
        -   name: b
        # end
        other: [1,  2]
        """,
    "spaced": """\
        apps:
          - name: a

          - name: b
            # inside b
            labels: {x: 1}

        # about other
        other: 1
        """,
    "flow items": """\
        apps:
          - {name: a}
          - { name: b }
        other: 1
        """,
    "flow list": """\
        apps: [{name: a}, {name: b}]   # all
        other: 1
        """,
    "wide flow list": """\
        apps: [
          {name: a}, # one
          {name: b}, # two
        ]
        other: 1
        """,
    "literal": """\
        apps:
          - name: a
            note: |
              text

          - name: b
            note: |
              more

        other: 1
        """,
    "last": """\
        other: 1
        apps:
          - name: a
          - name: b
            vars:
              - x""",
    "anchors": """\
        other: &one {x: 1}
        apps:
          - {name: a, labels: *one}
          - name: b
            labels: *one
        """,
    "empty": "apps: []   # none yet\nother: 1\n",
    "null": "apps:\nother: 1\n",
    "missing": "other: 1\n# end\n",
}


@pytest.mark.parametrize("text", [dedent(text) for text in CASES.values()], ids=list(CASES))
def test_an_insertion_and_its_removal_leave_the_text_as_it_was(text: str) -> None:
    count = text.count("name:")
    for index in range(min(count, 1), count + 1):
        after = inserted(text, "apps", NEW, index)
        assert yaml.safe_load(after)["apps"][index] == NEW
        if "wide" not in text and "[{" not in text:
            kept = [line for line in removed_lines(text, after) if "[]" not in line]
            assert kept == [] or not text.endswith("\n")
        again = deleted(after, "apps", index)
        assert parsed(again)["other"] == parsed(text)["other"]
        if count:
            assert again.rstrip("\n") == text.rstrip("\n")


def test_a_new_entry_is_written_as_its_neighbours_are() -> None:
    text = "apps:\n- name: a\n  labels:\n      x: y\n  dependsOn:\n  - z\n"
    assert inserted(text, "apps", NEW, 1) == text + (
        "- name: new\n  labels:\n      a: b\n  dependsOn:\n      - x\n"
    )
    padded = "apps:\n  - { name: a }\n"
    written = "  - { name: new, labels: { a: b }, dependsOn: [x] }\n"
    assert inserted(padded, "apps", NEW, 1) == padded + written


def test_the_only_entry_leaves_an_empty_list() -> None:
    assert deleted("apps: # all\n  - name: a\n# end\nother: 1\n", "apps", 0) == (
        "apps: [] # all\n# end\nother: 1\n"
    )


def test_a_removed_anchor_that_is_still_wanted_is_refused() -> None:
    with pytest.raises(NotKept):
        deleted("apps:\n  - {name: a, labels: &l {x: 1}}\n  - {name: b, labels: *l}\n", "apps", 0)


def test_an_item_on_the_line_of_another_is_refused() -> None:
    with pytest.raises(NotKept):
        inserted("{apps: [], other: 1}\n", "apps", NEW, 0)


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
comments = st.sampled_from(["", "  # c", " #"])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, int]:  # noqa: C901 - one choice a line
    """A list in some style, with comments and blank lines in likely and unlikely places."""
    dash = draw(st.sampled_from(["", "  ", "    "]))
    gap = draw(st.sampled_from([" ", "   "]))
    blank = draw(st.booleans())
    lines = [f"apps:{draw(comments)}"]
    count = draw(st.integers(1, 4))
    for _ in range(count):
        if blank and len(lines) > 1:
            lines.append("")
        name = draw(names)
        if draw(st.booleans()):
            lines.append(f"{dash}# about {name}")
        quoted = draw(st.sampled_from([name, f'"{name}"', f"'{name}'"]))
        if draw(st.booleans()):
            lines.append(f"{dash}-{gap}{{name: {quoted},  x: [1,2]}}{draw(comments)}")
            continue
        lines.append(f"{dash}-{gap}name:  {quoted}{draw(comments)}")
        inner = f"{dash} {gap}"
        if draw(st.booleans()):
            lines += [f"{inner}labels:{draw(comments)}", f"{inner}    k: 'v'{draw(comments)}"]
        if draw(st.booleans()):
            lines.append(f"{inner}source: {{ a: b,c: d }}")
        if draw(st.booleans()):
            lines.append(f"{inner}# inside {name}")
    if draw(st.booleans()):
        lines += ["", "other: 1"]
    return "".join(f"{line}\n" for line in lines), count


@given(texts(), st.data())
def test_every_byte_outside_the_entry_stays(case: tuple[str, int], data: st.DataObject) -> None:
    text, count = case
    index = data.draw(st.integers(1, count))
    after = inserted(text, "apps", NEW, index)
    lines = iter(after.splitlines(keepends=True))
    assert all(line in lines for line in text.splitlines(keepends=True))
    assert deleted(after, "apps", index) == text
    victim = data.draw(st.integers(0, count - 1))
    shorter = deleted(text, "apps", victim)
    if count > 1:
        lines = iter(text.splitlines(keepends=True))
        assert all(line in lines for line in shorter.splitlines(keepends=True))


@given(
    st.text(max_size=20) | st.sampled_from(["on", "NO", "1e3", "~", ".", "2026-01-01", "0x1", "-", "a: b"])
)
def test_a_text_is_read_back_as_that_text(text: str) -> None:
    written = scalar(text)
    assert yaml.safe_load(written) == text
    assert parsed(flow({"k": text, "l": [text]}, Style())) == {"k": text, "l": [text]}
