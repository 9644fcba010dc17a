"""The `pulumi` program of this machine: found, and new enough. Imports nothing of Pulumi's SDK."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from fleetmgr.adapters.pulumi.environment import pulumi_home, scrubbed
from fleetmgr.ports.pulumi_errors import CliMissing, CliTooOld

OLDEST = (3, 188, 0)
"""The first whose `--exclude` takes patterns."""
INSTALL = "install it: `fleet doctor --install pulumi` (or https://www.pulumi.com/docs/install)"
ALTERNATIVE = "the embedded engine needs nothing: --engine embedded"
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)([-+][\w.+-]*)?")
_SECONDS = 30


class Cli(Struct, frozen=True, kw_only=True):
    """``version`` as it says itself, such as 3.272.0."""

    path: Path
    version: str

    @property
    def numbers(self) -> tuple[int, int, int]:
        """The version without what follows its three numbers."""
        return _numbers(self.version) or (0, 0, 0)


def find_cli(environment: Mapping[str, str]) -> Cli:
    """``pulumi`` of PATH, else of PULUMI_HOME/bin. Raises CliMissing, CliTooOld."""
    candidates = located(environment)
    if not candidates:
        raise CliMissing(
            "the Pulumi engine needs the Pulumi CLI, and there is no `pulumi` on PATH or in"
            f" {pulumi_home(environment) / 'bin'}",
            hint=f"{INSTALL}; {ALTERNATIVE}",
        )
    found = [Cli(path=path, version=v) for path in candidates if (v := _version(path, environment))]
    if not found:
        raise CliMissing(f"{candidates[0]} does not say its version as the Pulumi CLI does", hint=INSTALL)
    good = next((cli for cli in found if cli.numbers >= OLDEST), None)
    if good is None:
        oldest = ".".join(map(str, OLDEST))
        raise CliTooOld(
            f"{found[0].path} is Pulumi {found[0].version}, and the Pulumi engine needs {oldest} or later",
            hint=f"{INSTALL}; {ALTERNATIVE}",
        )
    return good


def located(environment: Mapping[str, str]) -> list[Path]:
    """Every `pulumi`, absolute, in the order in which they are tried."""
    own = pulumi_home(environment) / "bin"
    folders = (environment.get("PATH", os.defpath), str(own))
    found = (shutil.which("pulumi", path=folder) for folder in folders)
    return list(dict.fromkeys(Path(path).absolute() for path in found if path))


def ask(
    path: Path, arguments: Sequence[str], environment: Mapping[str, str], *, seconds: float
) -> subprocess.CompletedProcess[str]:
    """One short question to the CLI, with ``environment`` alone and nothing to read. Raises OSError and
    TimeoutExpired."""
    return subprocess.run(  # noqa: S603 - the program that the user has installed as pulumi
        [str(path), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


def _version(path: Path, environment: Mapping[str, str]) -> str | None:
    settled = scrubbed(environment) | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        told = ask(path, ["version"], settled, seconds=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(told.stdout)
    return match.group().removeprefix("v") if match else None


def _numbers(version: str) -> tuple[int, int, int] | None:
    match = _VERSION.fullmatch(version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None
