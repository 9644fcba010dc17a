"""Paths to fields: what is understood, what is refused with which words."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.engine.ignored import Ignored, without_ignored
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.spec.field_paths import LONGEST, jq_path, pointer
from fleetmgr.spec.path_steps import BadPath, Each, Index, Key, Segment
from tests.spec.folders import MINIMAL, problems

KEYS = (Key("metadata"), Key("annotations"), Key("example.com/key"))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (".spec.replicas", (Key("spec"), Key("replicas"))),
        ('.metadata.annotations["example.com/key"]', KEYS),
        ('.metadata.annotations."example.com/key"', KEYS),
        ('.["metadata"].annotations.["example.com/key"]', KEYS),
        (".webhooks[]?.clientConfig", (Key("webhooks"), Each(), Key("clientConfig"))),
        (".spec.a[0][-1]", (Key("spec"), Key("a"), Index(0), Index(-1))),
        (".spec | .a | .b", (Key("spec"), Key("a"), Key("b"))),
        ("(.spec | .a).b", (Key("spec"), Key("a"), Key("b"))),
    ],
)
def test_paths_of_jq(text: str, steps: tuple[Any, ...]) -> None:
    assert jq_path(text).steps == steps


def test_pointers() -> None:
    path = pointer("/spec/containers/[name=main]/a~1b~0c")
    assert path.steps == (Segment("spec"), Segment("containers"), Segment("[name=main]"), Segment("a/b~c"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "ends where a path should be"),
        (".", "always sent"),
        (".metadata", "always sent"),
        (".metadata.name", "always sent"),
        (".kind", "always sent"),
        (".apiVersion", "always sent"),
        (".[]", "must begin with the name of a field"),
        (".metadata[]", "must begin with the name of a field"),
        ("..", "searching everywhere"),
        (".spec, .status", "write one path for each"),
        (".spec | keys", "only paths are understood"),
        (".spec[1:2]", "should have `]`"),
        (".spec[", "ends where"),
        (".spec.a-b", "quoted"),
        (".metadata.annotations.example.com/key", "quoted"),
        ('.a[] | select(.name | test("^a"))', "regular expressions"),
        (".a[] | select(.b[] == 1)", "a condition looks at one value"),
        (".a[] | select(.b == 1", "should have `)`"),
        (".a #", "something unknown at character 4"),
        ('.a["\\q"]', "no JSON string"),
        (".a[] | select(" + "(" * 30, "parentheses inside of each other"),
        ("." + "a" * LONGEST, "longer than"),
    ],
)
def test_what_is_no_plain_path_is_refused_with_words(text: str, told: str) -> None:
    with pytest.raises(BadPath) as caught:
        jq_path(text)
    assert told in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("text", ["", "spec", ".spec", "/kind", "/metadata", "/metadata/namespace", "/a~2"])
def test_what_is_no_pointer_is_refused(text: str) -> None:
    with pytest.raises(BadPath):
        pointer(text)


def test_fleet_yaml_names_every_bad_path_with_its_place(tmp_path: Path) -> None:
    rules = [
        "    ignoreDifferences:",
        "      - pointers: [/spec/replicas, spec]",
        "        jqPathExpressions:",
        "          - .spec.replicas",
        "          - .spec | keys",
        "      - kind: Deployment",
    ]
    app = ["apps:", "  - name: web", "    namespace: web", "    source: {type: manifests, path: apps/web}"]
    text = MINIMAL.partition("apps:")[0] + "\n".join([*app, *rules, ""])
    found = [(p.code, p.where.line, p.where.column) for p in problems(tmp_path, text) if p.where]
    assert found == [("FLT-1110", 11, 36), ("FLT-1110", 14, 13), ("FLT-1111", 15, 9)]


@given(st.text(alphabet='.[]()|"ab01= !?,selectandornot\\/', max_size=60))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    with suppress(BadPath):
        assert jq_path(text).steps


DOCUMENT: JsonObject = {
    "apiVersion": "v1",
    "kind": "X",
    "metadata": {"name": "x", "annotations": {"example.com/key": "1", "b": "2"}},
    "spec": {
        "n": 1,
        "none": None,
        "empty": [],
        "items": [
            {"name": "main", "on": True, "n": 1, "sub": {"k": [1, 2, 3]}},
            {"name": "DD_side", "on": False, "n": 2, "sub": {"k": []}},
            {"name": "other", "on": None, "n": 1.0, "sub": {}},
        ],
    },
}
SAME_AS_JQ = [
    ".spec.n",
    '.metadata.annotations["example.com/key"]',
    ".spec.items[].n",
    ".spec.items[-1]",
    ".spec.items[].sub.k[0]",
    ".spec.empty | select(. == [])",
    ".spec.items[] | select(.sub == {}) | .n",
    '.spec.items[] | select(.name == "main") | .n',
    ".spec.items[] | select(.n == 1).on",
    ".spec.items[] | select(.on).n",
    ".spec.items[] | select(.on | not).n",
    ".spec.items[] | select(.on == null) | .n",
    '.spec.items[] | select(.name | startswith("DD_")).n',
    '.spec.items[] | select(.name | endswith("n") or contains("side")).n',
    '.spec.items[] | select(.name == "x" or .n == 1 and .on).n',
    '.spec.items[] | select((.name == "x" or .n == 1) and .on).n',
    '.spec.items[] | select(.sub | has("k")).n',
    ".spec.items[] | select(.on != true).n",
]


@pytest.mark.parametrize("text", SAME_AS_JQ)
def test_it_means_what_jq_means(text: str) -> None:
    program = shutil.which("jq")
    if program is None:
        pytest.skip("SKIPPED: no jq")
    done = subprocess.run(
        [program, "-c", f"del({text})"],
        input=json.dumps(DOCUMENT),
        capture_output=True,
        text=True,
        check=True,
    )
    assert without_ignored(DOCUMENT, Ignored(paths=(jq_path(text),))) == json.loads(done.stdout)
