"""One run of the command line: what the shared options say, kept in one place for command and errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec import Struct, field

from fleetmgr.cli.terminal import GithubJob, TerminalSettings

if TYPE_CHECKING:
    from fleetmgr.cli.stopwatch import Stopwatch

DEFAULT_FILE = Path("fleet.yaml")
DEFAULT_PARALLEL = 8


class Output(NamedTuple):
    """``-o FORMAT`` (``path`` None: standard output) or ``-o FORMAT=FILE``."""

    format: str
    path: Path | None = None


class Invocation(Struct, kw_only=True):
    """Filled while the command line is read; the object of every click context."""

    terminal: TerminalSettings = field(default_factory=TerminalSettings)
    github: GithubJob = field(default_factory=GithubJob)
    file: Path = DEFAULT_FILE
    parallel: int = DEFAULT_PARALLEL
    environments: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    adopt: bool = False
    max_deletes: str | None = None
    lock_timeout: float = 0.0
    wait_for_windows: bool = False
    override_windows: str = ""
    allow_dirty: str = ""
    force: bool = False
    verify: str = "auto"
    extra_fields: bool = False
    engine: Literal["embedded", "pulumi"] | None = None
    confirm_deletes: bool = False
    delete_protected: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    streamed: set[Path] = field(default_factory=set[Path])
    colour: str = "auto"
    progress: str = "auto"
    stopwatch: Stopwatch | None = None
    """Runs where --timings asks for it."""

    @property
    def stdout_format(self) -> str:
        """What goes to standard output: ``text`` unless ``-o`` says otherwise."""
        return next((output.format for output in self.outputs if output.path is None), "text")
