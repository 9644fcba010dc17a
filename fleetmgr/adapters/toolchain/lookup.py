"""Programs that this machine has already: named explicitly, on PATH, or in our cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from fleetmgr.adapters.toolchain.errors import ToolWrongVersion
from fleetmgr.adapters.toolchain.pins import Pin
from fleetmgr.errors import Where

_VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.\d+")
VERSION_SECONDS = 10.0


def explicit(pin: Pin, program: str, folder: Path | None) -> Path | None:
    """The program in the folder that the user named; None when no folder was named.

    Raises ToolWrongVersion: what was asked for explicitly is never silently replaced.
    A folder that does not hold the program at all is no answer for it (None).
    """
    if folder is None or not (folder / program).exists():
        return None
    path = folder / program
    found = version_of(path)
    if found != pin.minor:
        shown = ".".join(found) if found else "of unknown version"
        raise ToolWrongVersion(
            f"{program} is {shown}, {'.'.join(pin.minor)} is needed",
            where=Where(file=str(path)),
            hint="name another folder, or none: the right version is then found or built",
        )
    return path


def on_path(pin: Pin, program: str, search: str) -> Path | None:
    """The program on ``search`` (as PATH) if it is of the pinned minor version."""
    found = shutil.which(program, path=search)
    if found is None or version_of(Path(found)) != pin.minor:
        return None
    return Path(found)


def cached(pin: Pin, program: str, tools: Path) -> Path | None:
    """The program in our cache; it is there whole or not at all."""
    path = tools / pin.version / program
    return path if path.is_file() and os.access(path, os.X_OK) else None


def version_of(path: Path) -> tuple[str, str] | None:
    """Major and minor, as the program's ``--version`` says; None when it says nothing."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program that the user has installed
            [str(path), "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout + answer.stderr)
    return (match[1], match[2]) if match else None
