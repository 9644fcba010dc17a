"""Which documents are objects, which are skipped and listed, which are errors and where."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.model.artifact import Artifact, SourceFile
from fleetmgr.model.target import FetchRequest
from fleetmgr.rendering.locate import field_position
from fleetmgr.rendering.manifests import ParsedSource, parse_artifact
from tests.rendering.builders import artifact, bare, render

DATA = Path(__file__).parent / "data"


def parse(text: str | bytes, name: str = "a.yaml") -> ParsedSource:
    return parse_artifact(artifact({name: text}))


def told(source: ParsedSource) -> list[str]:
    return [str(problem) for problem in source.problems]


def test_documents_lists_and_positions() -> None:
    text = """\
        # a comment
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: a}
        ---
        ---
        apiVersion: v1
        kind: List
        items:
        - apiVersion: v1
          kind: ConfigMap
          metadata:
            name: b
        - apiVersion: v1
          kind: ConfigMapList
          items:
          - metadata: {name: c}
        """
    source = parse(text)
    assert [m.body["metadata"]["name"] for m in source.manifests] == ["a", "b", "c"]
    assert [(m.origin.line, m.origin.column, m.origin.document, m.origin.item) for m in source.manifests] == [
        (2, 1, 0, ""),
        (10, 3, 2, "items[0]"),
        (17, 5, 2, "items[1].items[0]"),
    ]
    assert source.manifests[2].body["kind"] == "ConfigMap"
    content = dedent(text).encode()
    assert field_position(content, 2, "items[0].metadata.name") == (13, 5)


def test_json_streams_are_read() -> None:
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "😀"}}
    two = {**one, "metadata": {"name": "b"}}
    source = parse(json.dumps(one, indent=1) + "\n" + json.dumps(two), "a.json")
    assert [m.body for m in source.manifests] == [one, two]
    assert source.manifests[1].origin.line == 11


SKIPPED: dict[str, tuple[str, str]] = {
    "a workflow": ("ci.yaml", "name: CI\non: push\njobs: {}\n"),
    "a chart": ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
    "values": ("values.yaml", "replicas: 2\n"),
    "a kustomization": ("k.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"),
    "a bare kustomization": ("kustomization.yaml", "resources: [a.yaml]\n"),
    "a list": ("l.yaml", "- a\n"),
    "text": ("t.yaml", "hello\n"),
    "only comments": ("c.yaml", "# nothing\n---\n"),
    "an empty file": ("e.yaml", ""),
    "an empty json": ("e.json", ""),
}


@pytest.mark.parametrize(("name", "text"), SKIPPED.values(), ids=SKIPPED.keys())
def test_what_is_no_object_is_skipped_and_listed(name: str, text: str) -> None:
    source = parse(text, name)
    assert source.manifests == ()
    assert source.problems == ()
    (warning,) = source.warnings
    assert warning.code == "FLT-1350"
    assert warning.where is not None
    assert warning.where.file == f"apps/web/{name}"


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "no name": ("apiVersion: v1\nkind: Pod\n", "1:1: Pod: metadata.name is missing"),
    "generateName": ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", "1:1: Pod: generateName"),
    "no kind": ("apiVersion: v1\nmetadata: {name: a}\n", "1:1: it has no kind"),
    "number as name": ("apiVersion: v1\nkind: Pod\nmetadata: {name: 1}\n", "1:1: Pod: metadata.name must be"),
    "metadata is a list": (
        "apiVersion: v1\nkind: Pod\nmetadata: []\n",
        "1:1: Pod: metadata must be a mapping",
    ),
    "labels are text": (
        "apiVersion: v1\nkind: P\nmetadata: {name: a, labels: x}\n",
        "metadata.labels must be",
    ),
    "broken": ("a: b: c\n", "1:5: not valid YAML"),
    "a tab": ("a:\n\tb: c\n", "2:1: a tab indents"),
    "duplicate": (
        "a: 1\nb: 2\na: 3\n",
        "3:1: key `a` is given twice in one mapping: in line 1 and in line 3",
    ),
    "deep": ("[" * 30_000, "nested more than"),
    "tag": ("a: !!python/object:os.system x\n", "unknown tag"),
    "not utf-8": (b"a: \xff\n", "1:4: not UTF-8"),
    "infinite": ("a: .inf\n", "1:4: `.inf` has no JSON form"),
    "bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "aliases",
    ),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_applied_is_an_error_with_its_place(text: str | bytes, expected: str) -> None:
    source = parse(text)
    (problem,) = told(source)
    assert problem.startswith("apps/web/a.yaml:1:" if "1:1" in expected else "apps/web/a.yaml:")
    assert expected in problem


BROKEN_JSON: dict[str, tuple[str, str]] = {
    "cut off": ('{"a": ', "a.json:1:7: not valid JSON"),
    "duplicate": (
        '{"a": 1,\n "a": 2}',
        "a.json:2:2: key `a` is given twice in one mapping: in line 1 and in line 2",
    ),
    "constant": ('{"a": Infinity}', "`Infinity` has no JSON form"),
    "too large": ('{"a": 1e400}', "too large for 64 bits"),
    "deep": ("[" * 100_000, "nested too deep"),
    "deepish": ("[" * 100 + "]" * 100, "nested more than 64"),
    "half a pair": ('{"a": "\\ud800"}', "half of a surrogate pair"),
    "long number": ('{"a": ' + "1" * 5000 + "}", "number too long"),
    "large number": ('{"a": ' + "1" * 400 + "}", "too large for 64 bits"),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN_JSON.values(), ids=BROKEN_JSON.keys())
def test_broken_json_is_an_error_with_its_place(text: str, expected: str) -> None:
    (problem,) = told(parse(text, "a.json"))
    assert expected in problem


def test_a_commit_is_named_in_places() -> None:
    request = FetchRequest(type="manifests", path="a", revision="main")
    files = (SourceFile(path="a/x.json", content=b"{"), SourceFile(path="a/y.yaml", content=b"hello"))
    source = parse_artifact(Artifact(request=request, revision="1234567890abcdef", digest="", files=files))
    assert told(source)[0].startswith("a/x.json@1234567890ab:1:2: ")
    assert str(source.warnings[0]).startswith("a/y.yaml@1234567890ab: skipped")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.template.spec.containers[0].image", (20, 9)),
        ("spec.template.spec.containers[1].image", (18, 7)),
        ("spec.selector.matchLabels[app]", (12, 7)),
        ("metadata.annotations[a.b/c]", (4, 1)),
        ("nope", None),
    ],
)
def test_field_positions(path: str, expected: tuple[int, int] | None) -> None:
    text = (DATA / "002-line219-deployment.yaml").read_bytes()
    assert field_position(text, 0, path) == expected
    assert field_position(text, 1, path) is None
    assert field_position(b"[", 0, path) is None


SEEDS = sorted(p.name for p in DATA.iterdir())
NO_OBJECTS = {
    "002-line251-kustomization.yaml",
    "002-line277-github-actions.yaml",
    "002-line509-grafana-dashboard.json",
}


@pytest.mark.parametrize("name", SEEDS)
def test_every_example_is_rendered_or_listed(name: str) -> None:
    stack = render({name: (DATA / name).read_bytes()})
    if name in NO_OBJECTS:
        assert stack.resources == ()
        assert [w.code for w in stack.warnings] == ["FLT-1350", "FLT-1353"]
    else:
        (resource,) = stack.resources
        assert stack.warnings == ()
        assert bare(resource)["kind"] == resource.ref.kind
        assert resource.ref.namespace


def test_an_open_egress_rule_loses_its_empty_peers() -> None:
    (resource,) = render({"a.yaml": (DATA / "002-line454-networkpolicy.yaml").read_bytes()}).resources
    assert "to" not in resource.inputs["spec"]["egress"][0]


@given(st.text() | st.binary())
def test_arbitrary_text_is_a_problem_at_worst(text: str | bytes) -> None:
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    for name in ("a.yaml", "a.json"):
        parse_artifact(artifact({name: content}))


FRAGMENTS = st.sampled_from(
    [
        *("a", ":", " ", "\n", "- ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "|", ">", "'", '"', "---", "#"),
        *("!!int ", "${x}", "apiVersion: v1\n", "kind: List\n", "items:\n", "metadata:\n  name: x\n", "1e3"),
        *(".inf", "~", "\t", "? "),
    ]
)


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
def test_text_that_looks_like_yaml_is_a_problem_at_worst(text: str) -> None:
    parse_artifact(artifact({"a.yaml": text.encode(), "a.json": text.encode()}))


@given(st.permutations(SEEDS))
def test_the_order_of_files_does_not_matter(names: list[str]) -> None:
    left_out = "002-line14-deployment.yaml"  # the same object as another example
    files = [
        SourceFile(path=f"apps/web/{name}", content=(DATA / name).read_bytes())
        for name in names
        if name != left_out
    ]
    request = FetchRequest(type="manifests", path="apps/web")
    one = parse_artifact(Artifact(request=request, revision=None, digest="1", files=tuple(files)))
    two = parse_artifact(
        Artifact(request=request, revision=None, digest="2", files=tuple(sorted(files, key=lambda f: f.path)))
    )
    assert one == two
