"""Reading the repository around fleet.yaml, against real Git."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.adapters.git.repository import GitRepository, PathNotInCommit, RevisionNotFound
from tests.adapters.git.checkouts import commit_all, new_repository, run_git


def test_a_commit_is_read_with_links_and_bytes(tmp_path: Path) -> None:
    root = new_repository(tmp_path)
    (root / "apps/web/deep").mkdir(parents=True)
    (root / "apps/web/a.yaml").write_bytes(b"\xff\x00\r\n")
    (root / "apps/web/empty.yaml").write_bytes(b"")
    (root / "apps/web/deep/b.yaml").write_text("b")
    (root / "apps/web/l.yaml").symlink_to("../../x")
    commit = commit_all(root)
    repository = GitRepository(root)
    assert repository.head() == commit
    flat = repository.tree(commit, "apps/web", recurse=False)
    assert [(e.path, e.content, e.link) for e in flat] == [
        ("apps/web/a.yaml", b"\xff\x00\r\n", None),
        ("apps/web/empty.yaml", b"", None),
        ("apps/web/l.yaml", b"", "../../x"),
    ]
    assert [e.path for e in repository.tree(commit, ".", recurse=True)] == [
        "apps/web/a.yaml",
        "apps/web/deep/b.yaml",
        "apps/web/empty.yaml",
        "apps/web/l.yaml",
    ]
    assert [e.path for e in repository.tree(commit, "apps/web/a.yaml", recurse=False)] == ["apps/web/a.yaml"]
    assert repository.tree(commit, "apps", recurse=False) == ()


def test_a_fleet_in_a_subfolder_sees_its_own_paths(tmp_path: Path) -> None:
    top = new_repository(tmp_path)
    (top / "fleets/shop/apps").mkdir(parents=True)
    (top / "fleets/shop/apps/a.yaml").write_text("a")
    (top / "other.yaml").write_text("o")
    commit = commit_all(top)
    repository = GitRepository(top / "fleets/shop")
    assert [e.path for e in repository.tree(commit, "apps", recurse=False)] == ["apps/a.yaml"]
    assert [e.path for e in repository.tree(commit, ".", recurse=True)] == ["apps/a.yaml"]
    (top / "other.yaml").write_text("changed")
    assert not repository.dirty(), "only what is below the fleet's folder counts"
    (top / "fleets/shop/new.yaml").write_text("n")
    assert repository.dirty()


def test_outside_git_and_before_the_first_commit_there_is_no_head(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    # A folder above the temporary one could be a repository; the ceiling is a file that says it is not.
    assert GitRepository(plain).head() is None
    assert not GitRepository(plain).dirty()
    with pytest.raises(RevisionNotFound, match="no Git repository"):
        GitRepository(plain).resolve("main")
    fresh = new_repository(tmp_path / "fresh")
    (fresh / "a").write_text("a")
    assert GitRepository(fresh).head() is None
    assert GitRepository(fresh).dirty()


def test_branches_tags_and_detached_heads_resolve(tmp_path: Path) -> None:
    root = new_repository(tmp_path)
    first = commit_all(root, "one")
    run_git(root, "tag", "-a", "v1", "-m", "v1")
    second = commit_all(root, "two")
    run_git(root, "checkout", "--quiet", "--detach", "v1")
    repository = GitRepository(root)
    assert repository.head() == first
    assert repository.resolve("v1") == first
    assert repository.resolve("main") == second
    assert repository.resolve(second[:10]) == second
    assert repository.resolve("HEAD") == first


@pytest.mark.parametrize(
    "revision",
    [
        "nope",
        "",
        "--upload-pack=touch x",
        "-v",
        "main..main",
        ":/one",
        "main:a",
        "@{1}",
        "a b",
        "main\n",
        "f" * 40,
    ],
)
def test_what_is_no_revision_is_refused(tmp_path: Path, revision: str) -> None:
    root = new_repository(tmp_path)
    commit_all(root, "one")
    with pytest.raises(RevisionNotFound):
        GitRepository(root).resolve(revision)


@pytest.mark.parametrize("path", ["nope", "../x", "/etc", "a.yaml/b", "--help", "*.yaml", ":(top)a.yaml"])
def test_paths_that_are_not_there(tmp_path: Path, path: str) -> None:
    root = new_repository(tmp_path)
    (root / "a.yaml").write_text("a")
    commit = commit_all(root)
    with pytest.raises(PathNotInCommit):
        GitRepository(root).tree(commit, path, recurse=False)


def test_submodules_are_left_out(tmp_path: Path) -> None:
    inner = new_repository(tmp_path / "inner")
    (inner / "i.yaml").write_text("i")
    commit_all(inner)
    outer = new_repository(tmp_path / "outer")
    (outer / "o.yaml").write_text("o")
    run_git(outer, "submodule", "--quiet", "add", str(inner), "sub")
    commit = commit_all(outer)
    names = [e.path for e in GitRepository(outer).tree(commit, ".", recurse=True)]
    assert names == [".gitmodules", "o.yaml"]
    assert not GitRepository(outer).dirty()


def test_nothing_that_the_repository_brings_along_is_run(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r")
    trap = tmp_path / "ran"
    for name in ("post-checkout", "pre-commit", "post-index-change"):
        hook = root / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
        hook.chmod(0o755)
    (root / "a.yaml").write_text("a")
    run_git(root, "-c", "core.hooksPath=/dev/null", "add", "--all")
    run_git(root, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "one", "--no-verify")
    trap.unlink(missing_ok=True)
    run_git(root, "config", "core.fsmonitor", f"touch {trap}")
    run_git(root, "config", "core.pager", f"touch {trap}")
    run_git(root, "config", "diff.external", f"touch {trap}")
    repository = GitRepository(root)
    head = repository.head()
    assert head is not None
    (root / "a.yaml").write_text("b")
    assert repository.dirty()
    repository.tree(head, ".", recurse=True)
    assert not trap.exists()
