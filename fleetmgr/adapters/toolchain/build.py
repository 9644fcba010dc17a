"""``go build`` of a pinned module: with a heartbeat, resumable, clear when it fails.

Go's caches live in a work folder of ours: an interrupted build continues from them, and
they are dropped when everything is built (they grow to 5 GB). Sums in ``go.sum`` pin every
source by hash, so it does not matter who serves it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from fleetmgr.adapters.toolchain.errors import ToolBuildFailed, ToolNoSpace
from fleetmgr.adapters.toolchain.pins import Pin
from fleetmgr.errors import Where
from fleetmgr.ports.clock import Clock

HEARTBEAT_SECONDS = 15.0
TAIL_LINES = 12
# Even a build whose caches are full writes the programs and the linker's temporary files.
LEAST_SPACE = 2**30


class Work(Struct, frozen=True, kw_only=True):
    """The folder in which building happens, removed after success."""

    folder: Path

    @property
    def log(self) -> Path:
        """What the last build printed."""
        return self.folder / "build.log"

    def output(self, pin: Pin) -> Path:
        """Where a build leaves its programs."""
        return self.folder / f"out-{pin.module}-{pin.version}"

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """The user's environment (proxies, GOPROXY) with our caches and fixed behaviour."""
        temporary = self.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        return {
            **outer,
            "GOMODCACHE": str(self.folder / "mod"),
            "GOCACHE": str(self.folder / "cache"),
            "GOTMPDIR": str(temporary),
            "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
            "GOWORK": "off",
            "GOTOOLCHAIN": "local",
            "CGO_ENABLED": "0",
        }


def check_space(work: Work, pins: tuple[Pin, ...], free_space: Callable[[Path], int]) -> None:
    """Raise ToolNoSpace unless what is still to be written fits."""
    work.folder.mkdir(parents=True, exist_ok=True)
    done = sum(path.lstat().st_size for path in work.folder.rglob("*") if path.is_file())
    needed = max(LEAST_SPACE, sum(pin.space for pin in pins) - done)
    free = free_space(work.folder)
    if free < needed:
        raise ToolNoSpace(
            f"building needs {_gib(needed)} of disk, {_gib(free)} are free"
            " (most of it is given back afterwards)",
            where=Where(file=str(work.folder)),
            hint="free some space, or set XDG_CACHE_HOME to a folder on a larger disk",
        )


class Builder(Struct, frozen=True, kw_only=True):
    """Builds pins with one Go in one work folder. ``environment``: the user's own."""

    go: Path
    sources: Path
    work: Work
    environment: Mapping[str, str]
    clock: Clock
    progress: Callable[[str], None]
    heartbeat: float = HEARTBEAT_SECONDS

    def build(self, pin: Pin) -> Path:
        """The folder with the pin's programs; raises ToolBuildFailed, ToolNoSpace.

        All programs of a pin in one ``go build``: they share nearly everything.
        """
        output = self.work.output(pin)
        output.mkdir(parents=True, exist_ok=True)
        target = output / pin.programs[0] if len(pin.programs) == 1 else output
        argv = [str(self.go), "build", "-trimpath", "-ldflags", f"-s -w {pin.ldflags}".strip()]
        argv += ["-o", str(target), *(package for _, package in pin.packages)]
        what = f"{', '.join(pin.programs)} {pin.version}"
        began = self.clock.monotonic()
        self.progress(f"building {what}: minutes at the first time, kept afterwards")
        code = self._run(argv, self.sources / pin.module, what)
        if code != 0:
            raise self._failure(what, code)
        self.progress(f"built {what} in {self.clock.monotonic() - began:.0f} s")
        return output

    def _run(self, argv: list[str], folder: Path, what: str) -> int:
        environment = self.work.environment(self.environment)
        began = self.clock.monotonic()
        with (
            self.work.log.open("wb") as log,
            subprocess.Popen(  # noqa: S603 - Go with fixed arguments
                argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            ) as process,
        ):
            try:
                while True:
                    try:
                        return process.wait(self.heartbeat)
                    except subprocess.TimeoutExpired:
                        seconds = self.clock.monotonic() - began
                        self.progress(f"building {what}: {seconds:.0f} s so far")
            finally:
                if process.poll() is None:  # interrupted: what is compiled so far stays cached
                    process.terminate()

    def _failure(self, what: str, code: int) -> ToolBuildFailed | ToolNoSpace:
        lines = self.work.log.read_text(encoding="utf-8", errors="replace").splitlines()
        if any("no space left on device" in line for line in lines):
            return ToolNoSpace(
                f"the disk is full while building {what}",
                where=Where(file=str(self.work.folder)),
                hint="free some space and run the same command again: it continues",
            )
        last = "\n".join(line for line in lines if not line.startswith("go: downloading"))
        shown = "\n".join(last.splitlines()[-TAIL_LINES:])
        return ToolBuildFailed(
            f"go build of {what} ended with code {code}:\n{shown}",
            where=Where(file=str(self.work.log)),
            hint="Go fetches modules through GOPROXY; the same command continues where it ended",
        )


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
