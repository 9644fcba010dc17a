"""The work folder of one stack: its project file, the kubeconfig of a run, what a killed run left.

One a stack, because the CLI keeps a stack's settings beside the project file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from fleetmgr.errors import FleetError

_PROJECT = """\
# Written by fleetmgr; Pulumi needs it to know the project of the stack.
name: {project}
runtime: python
"""


UNNAMED = 0
"""Of a process whose number nobody wrote down any more."""


class Scratch(Struct, frozen=True, kw_only=True):
    """A folder with a project file and the URL of an empty backend."""

    path: Path
    backend: str


class WorkFolder:
    """Made when it is first needed, readable by its user alone."""

    def __init__(self, root: Path, *, fleet: str, cluster: str) -> None:
        """``root`` is shared by all stacks of this user."""
        self.path = root / fleet / cluster
        self._fleet = fleet
        self._cluster = cluster

    @property
    def _scratch(self) -> Path:
        return self.path / "scratch"

    @property
    def _pid(self) -> Path:
        return self.path / "running"

    def prepare(self) -> None:
        """Make the folder and the project file in it. Raises FleetError where that cannot be."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            self._project(self.path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            message = f"the work folder of Pulumi {self.path} cannot be used: {reason}"
            raise FleetError(message, hint="set XDG_CACHE_HOME to a folder of yours") from None

    @contextmanager
    def kubeconfig(self, document: str) -> Generator[Path]:
        """A file with ``document`` for one run. One that a killed run left behind goes, too: it holds credentials."""
        for left in self.path.glob("kubeconfig.*"):
            if _dead(left.suffix.removeprefix(".")):
                left.unlink(missing_ok=True)
        with _for_now(self.path / f"kubeconfig.{os.getpid()}", document) as path:
            yield path

    @contextmanager
    def scratch(self) -> Generator[Scratch]:
        """For the preview of a stack that does not exist; gone afterwards."""
        folder = self._scratch / str(os.getpid())
        shutil.rmtree(folder, ignore_errors=True)
        state = folder / "state"
        state.mkdir(parents=True, mode=0o700)
        self._project(folder)
        try:
            yield Scratch(path=folder, backend=f"file://{quote(str(state))}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def drop_settings(self) -> None:
        """Forget what encrypts the stack's secrets: its state says so, and somebody else may have changed it there."""
        (self.path / f"Pulumi.{self._cluster}.yaml").unlink(missing_ok=True)

    def _project(self, folder: Path) -> None:
        _write(folder / "Pulumi.yaml", _PROJECT.format(project=self._fleet))

    def draft(self, text: bytes) -> AbstractContextManager[Path]:
        """A file with ``text`` for the CLI to read; gone afterwards."""
        return _for_now(self.path / f"import-{os.getpid()}.json", text)

    def started(self, pid: int | None) -> None:
        """Remember the process that holds the stack's lock, for the run after a killed one. None: it is about to be
        started; who is killed before its number is known leaves this."""
        _write(self._pid, str(UNNAMED if pid is None else pid))

    def ended(self) -> None:
        """It ended, and took its lock with it."""
        self._pid.unlink(missing_ok=True)

    def left_behind(self) -> int | None:
        """The process of a run that was killed here and left its lock, UNNAMED where it was killed too early to say;
        None where there is none or it still runs."""
        try:
            pid = self._pid.read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
        return int(pid) if _dead(pid) or pid == str(UNNAMED) else None


def died_here(host: str, pid: int) -> bool:
    """Whether a process of this machine is gone."""
    return host == os.uname().nodename and _dead(str(pid))


def _dead(pid: str) -> bool:
    """Whether no process has that number, or only one that nobody has buried; never where that cannot be seen."""
    if not pid.isdecimal() or not Path("/proc/self").exists():
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return not Path(f"/proc/{pid}").exists()
    return status.rpartition(")")[2].split()[:1] in (["Z"], ["X"])


@contextmanager
def _for_now(path: Path, text: str | bytes) -> Generator[Path]:
    _write(path, text)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write(path: Path, text: str | bytes) -> None:
    """Replace ``path`` at once, so that a run beside this one never reads half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
    draft.replace(path)
