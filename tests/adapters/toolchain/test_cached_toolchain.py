"""The order in which programs are looked for, and what each failure says."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetmgr.adapters.locks.flock import FileLocks
from fleetmgr.adapters.toolchain.cached import CachedToolchain
from fleetmgr.adapters.toolchain.download import DownloadFailed, Releases
from fleetmgr.adapters.toolchain.errors import (
    ToolBuildFailed,
    ToolNoSpace,
    ToolUnavailable,
    ToolWrongVersion,
)
from fleetmgr.adapters.toolchain.pins import Pin
from fleetmgr.wiring.machine import SystemClock

PIN = Pin(
    module="pair",
    version="v1.34.4",
    packages=(("one", "example/one"), ("two", "example/two")),
    space=10 * 2**30,
)
PLENTY = 2**50
# Answers as `go` does: `env GOVERSION`, and `build ... -o DIRECTORY/ ...` by what GO_DOES says.
FAKE_GO = """#!/bin/sh
if [ "$1" = env ]; then echo "${GO_VERSION:-go1.26.8}"; exit; fi
echo "$PWD $GOFLAGS $GOCACHE $*" >> "$GO_CALLS"
if [ -n "$GO_SAYS" ]; then echo "$GO_SAYS"; exit 1; fi
if [ -n "$GO_SLEEPS" ]; then sleep "$GO_SLEEPS"; fi
mkdir -p "$GOCACHE" && echo compiled >> "$GOCACHE/object"
while [ "$1" != -o ]; do shift; done
for name in one two; do printf '#!/bin/sh\\necho v1.34.4\\n' > "$2/$name"; chmod +x "$2/$name"; done
"""


class NoReleases(Releases):
    """Counts what is asked for and has nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def fetch(self, pin: Pin, program: str, work: Path) -> Path:
        del pin, work
        self.asked.append(program)
        raise DownloadFailed("no network")


def make(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho Kubernetes v{version}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def toolchain(root: Path, *, path: str = "", free: int = PLENTY, **environment: str) -> CachedToolchain:
    sources = root / "tools"
    (sources / "pair").mkdir(parents=True, exist_ok=True)
    clock = SystemClock()

    def free_space(where: Path) -> int:
        assert where.exists()
        return free

    outer = {"PATH": f"{path}:/usr/bin:/bin", "GO_CALLS": str(root / "calls"), **environment}
    return CachedToolchain(
        cache=root / "cache",
        sources=sources,
        explicit=None,
        environment=outer,
        clock=clock,
        locks=FileLocks(clock),
        free_space=free_space,
        releases=NoReleases(),
        pins=(PIN,),
    )


@pytest.fixture
def go(tmp_path: Path) -> str:
    folder = tmp_path / "go-bin"
    folder.mkdir()
    program = folder / "go"
    program.write_text(FAKE_GO, encoding="utf-8")
    program.chmod(0o755)
    return str(folder)


def provide(found: CachedToolchain, said: Callable[[str], None] = print) -> Mapping[str, Path]:
    return found.provide(said)


def test_programs_on_path_of_the_same_minor_version_are_used(tmp_path: Path) -> None:
    bin_folder = tmp_path / "bin"
    one, two = make(bin_folder, "one", "1.34.0"), make(bin_folder, "two", "1.34.9")
    assert provide(toolchain(tmp_path, path=str(bin_folder))) == {"one": one, "two": two}
    assert not (tmp_path / "cache").exists()


def test_another_minor_version_on_path_is_passed_over_for_a_build(tmp_path: Path, go: str) -> None:
    make(tmp_path / "bin", "one", "1.33.4")
    found = provide(toolchain(tmp_path, path=f"{tmp_path / 'bin'}:{go}"))
    assert found["one"] == tmp_path / "cache" / "tools" / "v1.34.4" / "one"


def test_an_explicit_folder_wins_and_is_never_silently_replaced(tmp_path: Path) -> None:
    make(tmp_path / "bin", "one", "1.34.0")
    make(tmp_path / "bin", "two", "1.34.0")
    mine = make(tmp_path / "mine", "one", "1.34.1")
    chain = replace(toolchain(tmp_path, path=str(tmp_path / "bin")), explicit=tmp_path / "mine")
    assert provide(chain)["one"] == mine
    make(tmp_path / "mine", "one", "1.30.0")
    with pytest.raises(ToolWrongVersion, match=r"one is 1\.30, 1\.34 is needed"):
        provide(chain)


def test_a_build_is_done_once_for_all_programs_and_leaves_only_them(tmp_path: Path, go: str) -> None:
    said: list[str] = []
    chain = toolchain(tmp_path, path=go)
    found = provide(chain, said.append)
    assert all(os.access(path, os.X_OK) for path in found.values())
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == ["tools", "tools.lock"]
    assert provide(chain) == found
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert len(calls) == 1
    folder, flags = calls[0].split()[:2]
    assert (folder, flags) == (str(tmp_path / "tools" / "pair"), "-mod=readonly")
    assert any("no download (no network)" in line for line in said)


def test_a_failed_build_says_why_and_the_next_one_reuses_what_was_compiled(tmp_path: Path, go: str) -> None:
    cache = tmp_path / "cache" / "build" / "cache"
    cache.mkdir(parents=True)
    (cache / "object").write_text("from an interrupted build\n", encoding="utf-8")
    with pytest.raises(ToolBuildFailed, match="verifying module: checksum mismatch"):
        provide(toolchain(tmp_path, path=go, GO_SAYS="verifying module: checksum mismatch"))
    assert (cache / "object").exists()
    assert not (tmp_path / "cache" / "tools").exists()
    provide(toolchain(tmp_path, path=go))
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert all(str(cache) in call for call in calls)


def test_a_long_build_is_not_silent(tmp_path: Path, go: str) -> None:
    said: list[str] = []
    provide(replace(toolchain(tmp_path, path=go, GO_SLEEPS="0.3"), heartbeat=0.05), said.append)
    assert [line for line in said if line.endswith("s so far")]


def test_too_little_space_is_refused_before_anything_is_built(tmp_path: Path, go: str) -> None:
    with pytest.raises(ToolNoSpace, match=r"needs 10\.0 GiB of disk, 1\.0 GiB are free"):
        provide(toolchain(tmp_path, path=go, free=2**30))
    assert not (tmp_path / "calls").exists()


def test_a_disk_that_fills_up_while_building_is_named(tmp_path: Path, go: str) -> None:
    with pytest.raises(ToolNoSpace, match="the disk is full while building one, two"):
        provide(toolchain(tmp_path, path=go, GO_SAYS="write x.a: no space left on device"))


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, go: str) -> None:
    (tmp_path / "cache").write_text("a file in its place", encoding="utf-8")
    with pytest.raises(ToolUnavailable, match="the cache cannot be used") as caught:
        provide(toolchain(tmp_path, path=go))
    assert str(tmp_path / "cache") in str(caught.value.where)


def test_an_old_go_without_the_pinned_wheel_is_a_clear_error(tmp_path: Path, go: str) -> None:
    chain = toolchain(tmp_path, path=go)
    program = Path(go) / "go"
    program.write_text(FAKE_GO.replace("go1.26.8", "go1.20.1"), encoding="utf-8")
    with pytest.raises(ToolUnavailable, match=r"no Go 1\.26 or newer"):
        provide(chain)


def test_an_installation_without_sources_says_what_to_put_on_path(tmp_path: Path) -> None:
    with pytest.raises(ToolUnavailable, match="one, two: not on PATH"):
        provide(replace(toolchain(tmp_path), sources=None))


def test_two_at_once_build_once(tmp_path: Path, go: str) -> None:
    said: list[str] = []
    chain = toolchain(tmp_path, path=go, GO_SLEEPS="0.5")
    threads = [threading.Thread(target=provide, args=(chain, said.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((tmp_path / "calls").read_text(encoding="utf-8").splitlines()) == 1
    assert [line for line in said if line.startswith("waiting: another process")]
