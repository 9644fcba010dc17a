"""Calls the user's own Git, one child process a question.

Importing GitPython costs 130 ms, as much as half a plan; a child process costs 5.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct


class Answer(Struct, frozen=True):
    """How Git ended, and what it wrote. What it said on standard error may hold credentials: nobody gets it."""

    status: int
    output: bytes


class Git:
    """Git in one folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """``environment`` is set on top of the user's own."""
        self._folder = folder
        self._environment = environment

    def call(self, arguments: Sequence[str], *, given: bytes = b"") -> Answer:
        """``git ARGUMENTS`` with ``given`` as its input. Raises OSError when it cannot be started."""
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell; callers keep revisions behind --end-of-options
            ["git", *arguments],  # noqa: S607 - the user's own Git
            cwd=self._folder,
            env={**os.environ, "LC_ALL": "C", "LANGUAGE": "C", **self._environment},  # noqa: TID251 - handed on, not read
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return Answer(done.returncode, done.stdout)
