"""The whole order: explicit, PATH, cache, download, build. Implements ports.toolchain."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from fleetmgr.adapters.toolchain import lookup
from fleetmgr.adapters.toolchain.build import HEARTBEAT_SECONDS, Builder, Work, check_space
from fleetmgr.adapters.toolchain.download import DownloadFailed, Releases
from fleetmgr.adapters.toolchain.errors import ToolNoSpace, ToolUnavailable
from fleetmgr.adapters.toolchain.golang import provide_go
from fleetmgr.adapters.toolchain.pins import PINS, Pin
from fleetmgr.errors import Where
from fleetmgr.ports.clock import Clock
from fleetmgr.ports.locks import Locks

LOCK_SECONDS = 3600.0


class CachedToolchain(Struct, frozen=True, kw_only=True):
    """See ports.toolchain.Toolchain.

    ``cache``: our folder below XDG_CACHE_HOME. ``sources``: the folder of pinned modules,
    None when this installation has none. ``explicit``: a folder of programs that the user
    named. ``free_space``: bytes that may still be written at an existing path. ``heartbeat``:
    seconds between signs of life while Go, which prints nothing, compiles.
    """

    cache: Path
    sources: Path | None
    explicit: Path | None
    environment: Mapping[str, str]
    clock: Clock
    locks: Locks
    free_space: Callable[[Path], int]
    releases: Releases
    pins: tuple[Pin, ...] = PINS
    heartbeat: float = HEARTBEAT_SECONDS

    def provide(self, progress: Callable[[str], None]) -> Mapping[str, Path]:
        """See ports.toolchain.Toolchain.provide."""
        found = self._find()
        if self._missing(found):
            with self._disk_errors():
                self._complete(progress)
            found = self._find()
        return found

    def _complete(self, progress: Callable[[str], None]) -> None:
        """Download or build what is missing, one process at a time."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with self.locks.hold(
            self.cache / "tools.lock",
            what="building the sandbox's programs",
            timeout=LOCK_SECONDS,
            progress=progress,
        ):
            found = self._find()  # another process may have built them meanwhile
            for pin in self._download(self._missing(found), progress):
                self._build(pin, progress)
            shutil.rmtree(self._work().folder, ignore_errors=True)

    @contextmanager
    def _disk_errors(self) -> Generator[None]:
        """Turn what the disk says no to into an error that says what to do."""
        try:
            yield
        except OSError as error:
            where = Where(file=str(error.filename or self.cache))
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                hint = "free some space and run the same command again: it continues"
                raise ToolNoSpace("the disk is full", where=where, hint=hint) from error
            raise ToolUnavailable(
                f"the cache cannot be used: {error.strerror or error}",
                where=where,
                hint="check who owns that place, or set XDG_CACHE_HOME to another folder",
            ) from error

    def _find(self) -> dict[str, Path]:
        search = self.environment.get("PATH", "")
        found: dict[str, Path] = {}
        for pin in self.pins:
            for program in pin.programs:
                path = (
                    lookup.explicit(pin, program, self.explicit)
                    or lookup.on_path(pin, program, search)
                    or lookup.cached(pin, program, self._tools())
                )
                if path is not None:
                    found[program] = path
        return found

    def _missing(self, found: Mapping[str, Path]) -> tuple[Pin, ...]:
        return tuple(pin for pin in self.pins if not set(pin.programs) <= set(found))

    def _download(self, pins: tuple[Pin, ...], progress: Callable[[str], None]) -> tuple[Pin, ...]:
        """Install what can be downloaded; the pins that are left to build."""
        left: list[Pin] = []
        for pin in pins:
            progress(f"looking for a release of {', '.join(pin.programs)} {pin.version}")
            try:
                for program in pin.programs:
                    file = self.releases.fetch(pin, program, self._work().folder / "download")
                    self._install(pin, program, file)
            except DownloadFailed as error:
                progress(f"no download ({error}): it will be built from its pinned source")
                left.append(pin)
        if left:
            check_space(self._work(), tuple(left), self.free_space)
        return tuple(left)

    def _build(self, pin: Pin, progress: Callable[[str], None]) -> None:
        if self.sources is None:
            raise ToolUnavailable(
                f"{', '.join(pin.programs)}: not on PATH, and this installation has no sources",
                hint=f"put version {pin.version} on PATH",
            )
        work = self._work()
        requirements = self.sources / "go" / "requirements.txt"
        builder = Builder(
            go=provide_go(requirements, work.folder / "go", self.environment, progress),
            sources=self.sources,
            work=work,
            environment=self.environment,
            clock=self.clock,
            progress=progress,
            heartbeat=self.heartbeat,
        )
        output = builder.build(pin)
        for program in pin.programs:
            self._install(pin, program, output / program)

    def _install(self, pin: Pin, program: str, file: Path) -> None:
        """Move a finished program into the cache: whole on disk before it has its name."""
        if not file.is_file():
            raise ToolUnavailable(f"{program} was not built", where=Where(file=str(file)))
        with file.open("rb") as written:
            os.fsync(written.fileno())
        target = self._tools() / pin.version / program
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)

    def _tools(self) -> Path:
        return self.cache / "tools"

    def _work(self) -> Work:
        return Work(folder=self.cache / "build")
