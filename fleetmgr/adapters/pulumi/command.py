"""Runs the CLI for the Automation API: with our environment alone, in a session of its own, and told to stop in time.

The SDK's command runs with everything in the environment of this process and cannot be interrupted. The CLI takes an
interrupt as "finish what is being written, begin nothing else", and a second one as "end now"
(pkg/backend/cancellation_scope.go). In a session of its own it gets neither from the user's terminal, only from us.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from msgspec import Struct
from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from fleetmgr.adapters.pulumi.cli import Cli
from fleetmgr.ports.stop import Stop

_POLL = 0.1
_GRACE = 60.0
OnOutput = Callable[[str], object]


class Bounds(Struct, frozen=True, kw_only=True):
    """When the next processes are told to stop: ``stop`` is set, or ``seconds`` have passed."""

    stop: Stop
    seconds: float


class Never:
    """A Stop that is never set."""

    def is_set(self) -> bool:
        """As ports.stop.Stop."""
        return False


UNBOUNDED = Bounds(stop=Never(), seconds=600.0)


class Command(PulumiCommand):
    """``pulumi`` as one stack runs it, one process at a time.

    ``stopped`` and ``timed_out`` say why the last bounded process was told to end; ``said`` what it wrote on standard
    error.
    """

    def __init__(
        self,
        cli: Cli,
        environment: Mapping[str, str],
        monotonic: Callable[[], float],
        *,
        on_start: Callable[[int | None], None],
        on_end: Callable[[], None],
    ) -> None:
        """Without the SDK's own, which runs `pulumi version` in this process's environment.

        ``environment`` is all that the processes get; ``on_start`` is told that a run which takes the stack's lock is
        about to begin, and then its process; ``on_end`` that it ended by itself."""
        self.command = str(cli.path)
        self.version = VersionInfo(*cli.numbers)
        self._environment = {**environment, "PATH": f"{cli.path.parent}:{environment.get('PATH', '')}"}
        self._monotonic = monotonic
        self._bounds = UNBOUNDED
        self._on_start = on_start
        self._on_end = on_end
        self.stopped = False
        self.timed_out = False
        self.said = ""

    @contextmanager
    def setting(self, **more: str) -> Generator[None]:
        """The processes in this block have ``more`` in their environment."""
        before = self._environment
        self._environment = {**before, **more}
        try:
            yield
        finally:
            self._environment = before

    @contextmanager
    def bounded(self, bounds: Bounds) -> Generator[None]:
        """The processes in this block end by ``bounds``."""
        self._bounds, self.stopped, self.timed_out, self.said = bounds, False, False, ""
        try:
            yield
        finally:
            self._bounds = UNBOUNDED

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        """As the SDK's; raises its CommandError for an exit code other than 0."""
        locking = bool(args) and args[0] in {"up", "refresh", "destroy"}
        if locking:
            self._on_start(None)
        with subprocess.Popen(  # noqa: S603 - the CLI that was found, with arguments of the SDK and ours
            [self.command, "--non-interactive", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(cwd),
            env={**self._environment, **additional_env, "PULUMI_AUTOMATION_API": "true"},
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            if locking:
                self._on_start(process.pid)
            output, errors = _Reader(process.stdout, on_output), _Reader(process.stderr, on_error)
            try:
                self._wait(process)
            except BaseException:
                _interrupt(process)
                process.wait()
                raise
            result = CommandResult(stdout=output.text(), stderr=errors.text(), code=process.returncode)
        if locking and process.returncode >= 0:
            self._on_end()
        self.said = result.stderr
        if result.code != 0:
            raise create_command_error(result)
        return result

    def _wait(self, process: subprocess.Popen[str]) -> None:
        """Until it ends: an interrupt at the bounds, another one a grace later, then no more asking."""
        begin = self._monotonic()
        asked: float | None = None
        repeated = False
        while True:
            try:
                process.wait(_POLL)
            except subprocess.TimeoutExpired:
                now = self._monotonic()
            else:
                return
            if asked is None and self._over(now - begin):
                asked = now
                _interrupt(process)
            elif asked is not None and now - asked > 2 * _GRACE:
                process.kill()
            elif asked is not None and now - asked > _GRACE and not repeated:
                repeated = True
                _interrupt(process)

    def _over(self, passed: float) -> bool:
        self.stopped = self._bounds.stop.is_set()
        self.timed_out = not self.stopped and passed > self._bounds.seconds
        return self.stopped or self.timed_out


class _Reader:
    """Reads a pipe to its end, so that the process never waits for us."""

    def __init__(self, pipe: IO[str] | None, tell: OnOutput | None) -> None:
        self._parts: list[str] = []
        self._pipe = pipe
        self._tell = tell
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._pipe or ():
            self._parts.append(line)
            if self._tell is not None:
                self._tell(line.rstrip())

    def text(self) -> str:
        self._thread.join()
        return "".join(self._parts)


def _interrupt(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
