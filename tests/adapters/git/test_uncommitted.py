"""Whether files are as they are committed, whatever index, environment and configuration of a repository say."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetmgr.adapters.git.repository import GitRepository
from tests.adapters.git.checkouts import commit_all, new_repository, run_git

_FILES = ("fleet.yaml", "apps/web/a.yaml")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two committed files."""
    root = new_repository(tmp_path / "repo")
    (root / "apps/web").mkdir(parents=True)
    for name in _FILES:
        (root / name).write_bytes(b"a: 1\n")
    commit_all(root)
    return root


def uncommitted(root: Path, *files: str, deep: bool = False) -> tuple[str, ...]:
    return GitRepository(root).uncommitted(files or _FILES, {"apps/web": deep})


def test_files_as_they_are_committed_are_none(root: Path) -> None:
    (root / "notes.txt").write_text("other files do not matter")
    (root / "apps/web/README.md").write_text("nor those that nobody reads")
    assert uncommitted(root) == ()


@pytest.mark.parametrize("staged", [False, True])
def test_a_changed_file_counts_staged_or_not(root: Path, staged: bool) -> None:
    (root / "fleet.yaml").write_text("a: 2\n")
    if staged:
        run_git(root, "add", "--all")
    assert uncommitted(root) == ("fleet.yaml",)


def test_an_untracked_file_that_is_read_counts_ignored_or_not(root: Path) -> None:
    (root / ".gitignore").write_text("b.yaml\n")
    commit_all(root)
    (root / "apps/web/b.yaml").write_text("a: 1\n")
    assert uncommitted(root, "apps/web/b.yaml") == ("apps/web/b.yaml",)


def test_a_manifest_that_was_deleted_from_a_read_folder_counts(root: Path) -> None:
    (root / "apps/web/deep").mkdir()
    (root / "apps/web/deep/c.yaml").write_text("a: 1\n")
    commit_all(root)
    (root / "apps/web/a.yaml").unlink()
    (root / "apps/web/deep/c.yaml").unlink()
    assert uncommitted(root, "fleet.yaml") == ("apps/web/a.yaml",)
    assert uncommitted(root, "fleet.yaml", deep=True) == ("apps/web/a.yaml", "apps/web/deep/c.yaml")


@pytest.mark.parametrize("bit", ["--assume-unchanged", "--skip-worktree"])
def test_what_the_index_is_told_to_overlook_counts(root: Path, bit: str) -> None:
    run_git(root, "update-index", bit, "fleet.yaml")
    (root / "fleet.yaml").write_text("a: 2\n")
    assert run_git(root, "status", "--porcelain") == ""
    assert uncommitted(root) == ("fleet.yaml",)


def test_line_ends_of_windows_are_no_difference(root: Path) -> None:
    (root / "fleet.yaml").write_bytes(b"a: 1\r\n")
    assert uncommitted(root) == ()


def test_links_count_with_their_targets(root: Path) -> None:
    (root / "shared").mkdir()
    (root / "other").mkdir()
    for folder in ("shared", "other"):
        (root / folder / "s.yaml").write_text("s: 1\n")
    (root / "apps/web/link").symlink_to("../../shared")
    commit_all(root)
    assert uncommitted(root, "apps/web/link/s.yaml") == ()
    (root / "apps/web/link").unlink()
    (root / "apps/web/link").symlink_to("../../other")
    assert uncommitted(root, "apps/web/link/s.yaml") == ("apps/web/link/s.yaml",)


def test_outside_git_and_before_the_first_commit_everything_counts(tmp_path: Path) -> None:
    for root in (tmp_path / "plain", new_repository(tmp_path / "unborn")):
        root.mkdir(exist_ok=True)
        (root / "fleet.yaml").write_text("a: 1\n")
        assert GitRepository(root).uncommitted(("fleet.yaml", "gone.yaml"), {}) == ("fleet.yaml",)


def test_variables_of_git_do_not_mislead(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = GitRepository(root).head()
    other = new_repository(tmp_path / "other")
    (other / "fleet.yaml").write_text("a: 2\n")
    commit_all(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))
    monkeypatch.setenv("GIT_COMMON_DIR", str(other / ".git"))
    repository = GitRepository(root)
    assert repository.head() == commit
    assert not repository.dirty()
    assert uncommitted(root) == ()
    (root / "fleet.yaml").write_text("a: 2\n")
    assert uncommitted(root) == ("fleet.yaml",)
    assert repository.dirty()


def test_nothing_that_a_repository_configures_is_run(root: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    (root / ".gitattributes").write_text("*.yaml filter=evil\n")
    commit_all(root)
    for key in ("filter.evil.clean", "filter.evil.process", "core.fsmonitor"):
        run_git(root, "config", key, str(program))
    run_git(root, "config", "filter.evil.required", "true")
    (root / ".git/hooks/post-index-change").write_text(f"#!/bin/sh\ntouch {ran}\n")
    (root / ".git/hooks/post-index-change").chmod(0o755)
    (root / "fleet.yaml").write_text("a: 2\n")
    assert GitRepository(root).dirty()
    assert uncommitted(root) == ("fleet.yaml",)
    assert not ran.exists()


def test_a_linked_working_tree_is_its_own(root: Path, tmp_path: Path) -> None:
    run_git(root, "worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "side")
    (tmp_path / "linked" / "fleet.yaml").write_text("a: 2\n")
    assert uncommitted(tmp_path / "linked") == ("fleet.yaml",)
    assert GitRepository(tmp_path / "linked").dirty()
    assert uncommitted(root) == ()


def test_pushed_means_that_a_branch_of_a_remote_has_it(root: Path, tmp_path: Path) -> None:
    repository = GitRepository(root)
    first = repository.head() or ""
    assert repository.pushed(first), "without a remote there is nowhere to push to"
    run_git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "remote"))
    run_git(root, "remote", "add", "origin", str(tmp_path / "remote"))
    assert not repository.pushed(first)
    run_git(root, "push", "--quiet", "origin", "main")
    assert repository.pushed(first)
    second = commit_all(root)
    assert not repository.pushed(second)
    assert repository.pushed(first)
