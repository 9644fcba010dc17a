"""The contract of a SourceFetcher, on the working tree and on a commit of the same files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetmgr.adapters.git.repository import GitRepository
from fleetmgr.adapters.sources.globs import matches
from fleetmgr.adapters.sources.local import MAX_FILE, LocalSources
from fleetmgr.adapters.sources.refusals import (
    SourceEscapes,
    SourceNotFound,
    SourceTooLarge,
    SourceUnreadable,
    SpecialFile,
)
from fleetmgr.model.artifact import Artifact
from fleetmgr.model.target import FetchRequest
from tests.adapters.git.checkouts import commit_all, new_repository

Fetch = Callable[..., Artifact]


@pytest.fixture(params=["working tree", "commit"])
def fetch(request: pytest.FixtureRequest, tmp_path: Path) -> Fetch:
    """Fetches from ``tmp_path/repo``, committed first where a commit is asked for."""

    def fetch(path: str, **options: Any) -> Artifact:
        root = tmp_path / "repo"
        revision = None
        if request.param == "commit":
            commit_all(new_repository(root))
            revision = "main"
        own = frozenset({"fleet.yaml", "clusters/a.yaml"})
        sources = LocalSources(GitRepository(root), root, own_files=own)
        return sources.fetch(FetchRequest(type="manifests", path=path, revision=revision, **options))

    return fetch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of fleet.yaml."""
    folder = tmp_path / "repo"
    write(folder / "apps/web/a.yaml", "a")
    write(folder / "apps/web/b.yml", "b")
    write(folder / "apps/web/c.json", "c")
    write(folder / "apps/web/README.md", "no")
    write(folder / "apps/web/deep/d.yaml", "d")
    write(folder / "apps/web/.hidden/h.yaml", "h")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def names(artifact: Artifact) -> list[str]:
    return [file.path for file in artifact.files]


def test_only_manifests_directly_there(root: Path, fetch: Fetch) -> None:
    assert root.exists()
    artifact = fetch("apps/web")
    assert [(f.path, f.content) for f in artifact.files] == [
        ("apps/web/a.yaml", b"a"),
        ("apps/web/b.yml", b"b"),
        ("apps/web/c.json", b"c"),
    ]
    assert artifact.revision is None or len(artifact.revision) == 40


def test_recurse_include_and_exclude(root: Path, fetch: Fetch) -> None:
    assert root.exists()
    assert names(fetch("apps/web", recurse=True))[-1] == "apps/web/deep/d.yaml"
    assert names(fetch("apps/web", recurse=True, include=("**/*.yaml",))) == [
        "apps/web/a.yaml",
        "apps/web/deep/d.yaml",
    ]
    assert names(fetch("apps/web", recurse=True, exclude=("*.y*", "*.json"))) == ["apps/web/deep/d.yaml"]
    assert names(fetch("./apps//web/a.yaml")) == ["apps/web/a.yaml"]


def test_our_own_files_are_no_manifests(root: Path, fetch: Fetch) -> None:
    for name in (
        "fleet.yaml",
        "Pulumi.yaml",
        "Pulumi.dev-1.yaml",
        "environments/dev/web.yaml",
        ".venv/x.yaml",
    ):
        write(root / name, "x")
    write(root / "clusters/a.yaml", "x")
    write(root / "clusters/b.yaml", "x")
    write(root / "app.yaml", "x")
    assert names(fetch(".")) == ["app.yaml"]
    deep = names(fetch(".", recurse=True, exclude=("apps/**",)))
    assert deep == ["app.yaml", "clusters/b.yaml"]


@pytest.mark.parametrize("path", ["../x", "/etc", "apps/../../x", "a\0b", ""])
def test_paths_that_leave_are_refused(root: Path, fetch: Fetch, path: str) -> None:
    assert root.exists()
    with pytest.raises(SourceEscapes):
        fetch(path)


@pytest.mark.parametrize("path", ["apps/wob", "apps/web/a.yaml/x"])
def test_a_missing_path_is_named(root: Path, fetch: Fetch, path: str) -> None:
    assert root.exists()
    with pytest.raises(SourceNotFound, match=path):
        fetch(path)


LINKS: dict[str, dict[str, str]] = {
    "a file outside": {"apps/web/x.yaml": "../../../secret.yaml"},
    "an absolute file": {"apps/web/x.yaml": "/etc/passwd"},
    "no manifest by its name": {"apps/web/x.txt": "../../../secret.yaml"},
    "two hops": {"apps/web/x.yaml": "../y", "apps/y": "../../secret.yaml"},
    "three hops through a folder": {
        "apps/web/x.yaml": "../one/secret.yaml",
        "apps/one": "two",
        "apps/two": "../..",
    },
    "out and in again": {"apps/web/x.yaml": "../../../repo/apps/web/a.yaml"},
    "a folder": {"apps/web/x": "../../.."},
    "a dangling link": {"apps/web/x.yaml": "../../../nothing"},
}


@pytest.mark.parametrize("links", LINKS.values(), ids=LINKS.keys())
def test_links_that_leave_are_refused_before_anything_is_read(
    root: Path, fetch: Fetch, links: dict[str, str]
) -> None:
    write(root.parent / "secret.yaml", "canary")
    for name, to in links.items():
        (root / name).symlink_to(to)
    with pytest.raises(SourceEscapes) as caught:
        fetch("apps/web")
    assert "canary" not in str(caught.value)


def test_a_path_that_is_a_link_out_is_refused(root: Path, fetch: Fetch) -> None:
    write(root.parent / "outside/a.yaml", "canary")
    (root / "apps/out").symlink_to("../../outside")
    (root / "apps/hop").symlink_to("out")
    for path in ("apps/out", "apps/hop", "apps/out/a.yaml"):
        with pytest.raises(SourceEscapes):
            fetch(path)


def test_a_deep_link_out_is_refused_when_it_would_be_walked(root: Path, fetch: Fetch) -> None:
    (root / "apps/web/deep/x.yaml").symlink_to("/etc/passwd")
    assert names(fetch("apps/web"))
    with pytest.raises(SourceEscapes):
        fetch("apps/web", recurse=True)


def test_links_inside_resolve(root: Path, fetch: Fetch) -> None:
    write(root / "shared/s.yaml", "s")
    (root / "apps/web/s.yaml").symlink_to("../../shared/s.yaml")
    (root / "apps/web/folder").symlink_to("../../shared")
    (root / "apps/current").symlink_to("web")
    assert names(fetch("apps/current")) == [
        f"apps/current/{n}" for n in ("a.yaml", "b.yml", "c.json", "s.yaml")
    ]
    artifact = fetch("apps/web", recurse=True, include=("**/s.yaml",))
    assert [(f.path, f.content) for f in artifact.files] == [
        ("apps/web/folder/s.yaml", b"s"),
        ("apps/web/s.yaml", b"s"),
    ]


@pytest.mark.parametrize(
    "links", [{"apps/web/x.yaml": "x.yaml"}, {"apps/web/up": "."}, {"apps/web/y.yaml": "nothing.yaml"}]
)
def test_circles_and_dead_ends_are_errors(root: Path, fetch: Fetch, links: dict[str, str]) -> None:
    for name, to in links.items():
        (root / name).symlink_to(to)
    with pytest.raises(SourceUnreadable):
        fetch("apps/web", recurse=True)


def test_both_ways_give_the_same_artifact(root: Path) -> None:
    write(root / "shared/s.yaml", "s\r\n")
    (root / "apps/web/link").symlink_to("../../shared")
    commit_all(new_repository(root))
    sources = LocalSources(GitRepository(root), root)
    for recurse in (False, True):
        here = sources.fetch(FetchRequest(type="manifests", path="apps", recurse=recurse))
        there = sources.fetch(FetchRequest(type="manifests", path="apps", recurse=recurse, revision="HEAD"))
        assert here.files == there.files
        assert here.digest == there.digest


def test_a_commit_is_not_the_working_tree(root: Path) -> None:
    commit = commit_all(new_repository(root))
    write(root / "apps/web/a.yaml", "changed")
    sources = LocalSources(GitRepository(root), root)
    artifact = sources.fetch(FetchRequest(type="manifests", path="apps/web", revision="main"))
    assert artifact.files[0].content == b"a"
    assert artifact.revision == commit


def test_pipes_are_never_opened(root: Path) -> None:
    os.mkfifo(root / "apps/web/p.yaml")
    sources = LocalSources(GitRepository(root), root)
    with pytest.raises(SpecialFile, match=r"p\.yaml"):
        sources.fetch(FetchRequest(type="manifests", path="apps/web"))
    with pytest.raises(SpecialFile):
        sources.fetch(FetchRequest(type="manifests", path="apps/web/p.yaml"))


def test_sizes_are_limited(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (root / "apps/web/big.yaml").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    sources = LocalSources(GitRepository(root), root)
    request = FetchRequest(type="manifests", path="apps/web")
    with pytest.raises(SourceTooLarge, match=r"big\.yaml"):
        sources.fetch(request)
    (root / "apps/web/big.yaml").unlink()
    monkeypatch.setattr("fleetmgr.adapters.sources.local.MAX_FILES", 2)
    with pytest.raises(SourceTooLarge, match="3 manifest files"):
        sources.fetch(request)


def test_links_that_multiply_are_counted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for level in range(12):
        (root / f"bomb/{level}").mkdir(parents=True)
        for name in ("a", "b"):
            (root / f"bomb/{level}/{name}").symlink_to(f"../{level + 1}")
    write(root / "bomb/12/x.yaml", "x")
    monkeypatch.setattr("fleetmgr.adapters.sources.walk._MAX_ENTRIES", 2000)
    with pytest.raises(SourceTooLarge):
        LocalSources(GitRepository(root), root).fetch(
            FetchRequest(type="manifests", path="bomb/0", recurse=True)
        )


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "d/a.yaml", False),
        ("**/*.yaml", "a.yaml", True),
        ("**/*.yaml", "d/e/a.yaml", True),
        ("d/**", "d/e/a.yaml", True),
        ("d/**", "e/a.yaml", False),
        ("**", "x/y", True),
        ("d/*/a.yaml", "d/e/a.yaml", True),
        ("d/*/a.yaml", "d/e/f/a.yaml", False),
        ("?.yaml", "ab.yaml", False),
        ("a+b.yaml", "a+b.yaml", True),
        ("[ab].yaml", "a.yaml", False),
        ("d/**/f.yaml", "d/f.yaml", True),
    ],
)
def test_globs(pattern: str, path: str, *, expected: bool) -> None:
    assert matches(path, [pattern]) is expected
