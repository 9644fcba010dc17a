"""What can go wrong, as a user reads it: what, where, why, what to do next.

    FleetError                  exit 1   FLT-0001
    |- InvalidInput             exit 1   many Problems at once (fleet.yaml, overlays, manifests)
    |- UsageError               exit 64  the command line itself
    |- Refused                  exit 5   gates, identity, budgets
    |- (rooms subclass beside the code that raises)

Codes are stable; ``docs/reference/errors.md`` has a section for each.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from msgspec import Struct


class ExitCode(IntEnum):
    """Exit codes of ``fleet``; a contract with scripts (docs/reference/exit-codes.md)."""

    OK = 0
    FAILED = 1
    CHANGES = 2
    AUTH = 3
    PARTIAL = 4
    REFUSED = 5
    STALE = 6
    APPROVAL = 7
    LOCKED = 8
    TIMEOUT = 9
    USAGE = 64
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class Where(Struct, frozen=True, kw_only=True):
    """A place a person can go to: in a file, or on a cluster. Unset parts are left out."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    cluster: str | None = None
    object: str | None = None
    field: str | None = None

    def __str__(self) -> str:
        """``file:line:column`` and/or ``cluster / object / field``."""
        parts: list[str] = []
        if self.file is not None:
            position = [str(n) for n in (self.line, self.column) if n is not None]
            parts.append(":".join([self.file, *position]))
        parts += [p for p in (self.cluster, self.object, self.field) if p]
        return " / ".join(parts)


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with an input; several are reported together."""

    message: str
    where: Where | None = None
    hint: str | None = None
    code: str = "FLT-0001"

    def __str__(self) -> str:
        """``where: message (hint)`` on one line."""
        place = f"{self.where}: " if self.where and str(self.where) else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{advice}"


class Terminated(BaseException):
    """SIGTERM: unwinds like Ctrl-C, so that what is open gets closed."""


class FleetError(Exception):
    """An expected failure. ``code`` names its docs page, ``exit_code`` the process's."""

    code: ClassVar[str] = "FLT-0001"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, where: Where | None = None, hint: str | None = None) -> None:
        """Keep the parts apart: reporting decides how they are shown."""
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """The same one-line form as a Problem."""
        return str(self.problem())

    def problem(self) -> Problem:
        """This error as data."""
        return Problem(message=self.message, where=self.where, hint=self.hint, code=self.code)

    def all_problems(self) -> tuple[Problem, ...]:
        """This error as data, where it stands for several: each of them."""
        return (self.problem(),)


class InvalidInput(FleetError):
    """Every problem of every file at once; never raised with none."""

    code: ClassVar[str] = "FLT-1000"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """``problems`` in the order in which a reader meets them."""
        first = problems[0]
        super().__init__(first.message, where=first.where, hint=first.hint)
        self.problems = problems

    def __str__(self) -> str:
        """One line a problem."""
        return "\n".join(str(p) for p in self.problems)

    def all_problems(self) -> tuple[Problem, ...]:
        """Every problem."""
        return self.problems


class UsageError(FleetError):
    """The command line asks for something that does not exist or cannot be combined."""

    code: ClassVar[str] = "FLT-6400"
    exit_code: ClassVar[ExitCode] = ExitCode.USAGE


class Refused(FleetError):
    """A guard said no: identity, protection, budget, approval."""

    code: ClassVar[str] = "FLT-5000"
    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED
