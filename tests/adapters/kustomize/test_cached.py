"""What was built once is not built again, and what the cache says is what kustomize said."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from fleetmgr.adapters.kustomize import program as program_module
from fleetmgr.adapters.kustomize.cached import CachedKustomizer
from fleetmgr.adapters.kustomize.program import KustomizeMissing, KustomizeProgram, Program
from fleetmgr.ports.kustomizer import KustomizeFailed, KustomizeTree


class Counting(KustomizeProgram):
    """Counts the processes that a real program would have been."""

    def __init__(self, output: bytes = b"a: b\n") -> None:
        super().__init__(lambda: None)
        self.runs = 0
        self.output = output

    def identity(self) -> str:
        return "v1"

    def build(self, tree: KustomizeTree) -> bytes:
        self.runs += 1
        return self.output + tree.folder.encode()


def tree(name: str = "app", content: bytes = b"resources: []\n") -> KustomizeTree:
    return KustomizeTree(folder=name, files={f"{name}/kustomization.yaml": content})


def test_fifty_trees_cost_no_process_the_second_time(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    trees = [tree(f"app{number}") for number in range(50)]
    built = [CachedKustomizer(first, tmp_path / "c").build(t) for t in trees]

    again = [CachedKustomizer(second, tmp_path / "c").build(t) for t in trees]

    assert (first.runs, second.runs) == (50, 0)
    assert again == built


def test_a_changed_file_is_another_tree(tmp_path: Path) -> None:
    program = Counting()
    cache = CachedKustomizer(program, tmp_path / "c")

    for content in (b"a", b"b", b"a"):
        cache.build(tree(content=content))

    assert program.runs == 2


@pytest.mark.parametrize("damage", [b"", b"x" * 40])
def test_a_damaged_entry_is_built_again(tmp_path: Path, damage: bytes) -> None:
    program = Counting()
    cache = CachedKustomizer(program, tmp_path / "c")
    built = cache.build(tree())
    for path in (tmp_path / "c").iterdir():
        path.write_bytes(damage)

    assert cache.build(tree()) == built
    assert cache.build(tree()) == built
    assert program.runs == 2


def test_only_this_user_can_read_it(tmp_path: Path) -> None:
    CachedKustomizer(Counting(), tmp_path / "c").build(tree())

    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o700
    assert [stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "c").iterdir()] == [0o600]


def test_the_oldest_entries_go_first(tmp_path: Path) -> None:
    program = Counting(b"x" * 1000)
    cache = CachedKustomizer(program, tmp_path / "c", max_bytes=3500)

    for number in range(10):
        cache.build(tree(f"app{number}"))

    assert len(list((tmp_path / "c").iterdir())) == 3
    cache.build(tree("app9"))
    assert program.runs == 10


def test_many_writers_leave_whole_entries(tmp_path: Path) -> None:
    trees = [tree(f"app{number % 5}") for number in range(40)]
    programs = [Counting(b"y" * 5000) for _ in trees]
    found: list[bytes] = []

    def one(index: int) -> None:
        found.append(CachedKustomizer(programs[index], tmp_path / "c").build(trees[index]))

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(trees))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 5
    assert len(found) == 40
    assert len(list((tmp_path / "c").iterdir())) == 5


def test_a_folder_that_cannot_be_written_is_only_slower(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("in the way")

    assert CachedKustomizer(Counting(), tmp_path / "c").build(tree()).startswith(b"a: b")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_process_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "hunter2")
    program = Program(path=script(tmp_path / "kubectl", "export -p; pwd"), trusted=True)

    told = KustomizeProgram(lambda: program).build(tree()).decode()

    assert "hunter2" not in told
    assert str(Path.home()) + "/" not in told.replace(str(tmp_path), "")


def test_a_program_that_hangs_or_floods_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "TIMEOUT", 0.2)
    monkeypatch.setattr(program_module, "MAX_OUTPUT", 10_000)
    hangs = Program(path=script(tmp_path / "kubectl", "exec /bin/sleep 60"), trusted=True)
    floods = Program(path=script(tmp_path / "kustomize", "exec /bin/cat /dev/zero"), trusted=True)

    with pytest.raises(KustomizeFailed, match="not done after"):
        KustomizeProgram(lambda: hangs).build(tree())
    with pytest.raises(KustomizeFailed, match="more than 10000 bytes"):
        KustomizeProgram(lambda: floods).build(tree())


def test_no_program_and_an_old_one_are_told(tmp_path: Path) -> None:
    text = 'echo "Client Version: v1.25.0"; echo "Kustomize Version: v4.5.7"'
    old = Program(path=script(tmp_path / "kubectl", text), trusted=False)

    with pytest.raises(KustomizeMissing, match="there is no kustomize"):
        KustomizeProgram(lambda: None).build(tree())
    with pytest.raises(KustomizeMissing, match=r"has kustomize v4\.5; at least v5\.0"):
        KustomizeProgram(lambda: old).build(tree())
