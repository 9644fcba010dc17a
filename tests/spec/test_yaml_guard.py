"""The guard refuses what would hurt, says where, and lets everything else pass."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.errors import InvalidInput
from fleetmgr.spec.yaml_guard import MANIFEST_LIMITS, Limits, scan

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("a: [1,", "not valid YAML", 1, 7),
        ("a: 1\nb:\n\t- 1", "tab", 3, 1),
        ("a: b: c", "mapping values", 1, 5),
        ("a: @x", "cannot start any token", 1, 4),
        ("a: 1\nb: x\x00", "U+0000", 2, 5),
        ("a: 1\nb: \x1b[1m", "U+001B", 2, 4),
        ("a: 1\n---\nb: 1", "second document", 2, 1),
        ("a: !!python/object:os.system x", "unknown tag `!!python/object:os.system`", 1, 4),
        ("a: !secret x", "unknown tag `!secret`", 1, 4),
        ("a: &x [*x]", "inside its own anchor", 1, 8),
        ("a: *x", "has no anchor", 1, 4),
        (BOMB, "aliases expand", 7, None),
        ("a: {" * 65, "64 levels", 1, None),
    ],
)
def test_refuses_with_place(text: str, message: str, line: int, column: int | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        scan(text.encode(), name="fleet.yaml")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.code == "FLT-1001"
    assert problem.where is not None
    assert (problem.where.file, problem.where.line) == ("fleet.yaml", line)
    assert column is None or problem.where.column == column


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfea\x00", "UTF-16"),
        (b"\xef\xbb\xbfa: 1", "byte order mark"),
        (b"a: \xff", "not UTF-8"),
        (b"a: \xed\xa0\x80", "not UTF-8"),
        (b"%TAG !a! b\n" * 20 + b"---\na: 1", "%TAG"),
        (b"a: 1\n" * 1_000_000, "bytes"),
    ],
)
def test_refuses_bytes(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        scan(data, name="x")


def test_limits_are_parameters() -> None:
    scan(b"\xef\xbb\xbfa: 1\n---\nb: 1\n---\n", name="x", limits=MANIFEST_LIMITS)
    with pytest.raises(InvalidInput, match="more than 2 aliases"):
        scan(b"a: &a 1\nb: [*a, *a, *a]", name="x", limits=Limits(aliases=2))
    with pytest.raises(InvalidInput, match="2 levels"):
        scan(b"[[[]]]", name="x", limits=Limits(depth=2))


@pytest.mark.parametrize(
    "text", ["", "# nothing", "a: &a {b: 1}\nc: *a\nd: *a", "a: !!str 1", "x: \U0001f600é"]
)
def test_lets_pass(text: str) -> None:
    scan(text.encode(), name="x")


@pytest.mark.parametrize("brackets", [30_000, 1_000_000])
@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "{a: ", "!!map {a: "])
def test_depth_bomb_does_not_crash_the_interpreter(opening: str, brackets: int) -> None:
    code = (
        "import sys; from fleetmgr.spec.yaml_guard import scan; from fleetmgr.errors import InvalidInput\n"
        f"try: scan({opening!r}.encode() * {brackets}, name='x')\n"
        "except InvalidInput: sys.exit(7)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 7


@given(st.binary(max_size=300))
def test_any_bytes_pass_or_are_refused(data: bytes) -> None:
    try:
        scan(data, name="x")
    except InvalidInput:
        return


@given(st.text(alphabet="[]{}:,-?&*!|>'\"%@` \n\tab#", max_size=200))
def test_any_yaml_like_text_passes_or_is_refused(text: str) -> None:
    try:
        scan(text.encode(), name="x")
    except InvalidInput:
        return
