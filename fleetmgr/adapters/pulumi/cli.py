"""The `pulumi` program of this machine: found, and new enough. Imports nothing of Pulumi's SDK."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from fleetmgr.adapters.pulumi.environment import pulumi_home, scrubbed
from fleetmgr.ports.pulumi_errors import CliMissing, CliTooOld

OLDEST = (3, 181, 0)
"""The first that takes inline programs for everything that we run (`--client`)."""
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


def installed_in(environment: Mapping[str, str]) -> Path:
    """Where ``fleet doctor --install pulumi`` puts the CLI."""
    return pulumi_home(environment)


def find_cli(environment: Mapping[str, str]) -> Cli:
    """``pulumi`` of PATH, else of PULUMI_HOME/bin. Raises CliMissing, CliTooOld."""
    path = located(environment)
    if path is None:
        raise CliMissing(
            "the Pulumi engine needs the Pulumi CLI, and there is no `pulumi` on PATH or in"
            f" {pulumi_home(environment) / 'bin'}",
            hint=f"{INSTALL}; {ALTERNATIVE}",
        )
    version = _version(path, environment)
    if version is None:
        raise CliMissing(f"{path} does not say its version as the Pulumi CLI does", hint=INSTALL)
    found = Cli(path=path, version=version)
    if found.numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise CliTooOld(
            f"{path} is Pulumi {version}, and the Pulumi engine needs {oldest} or later",
            hint=f"{INSTALL}; {ALTERNATIVE}",
        )
    return found


def located(environment: Mapping[str, str]) -> Path | None:
    """Where `pulumi` is, absolute; None where it is not."""
    found = shutil.which("pulumi", path=environment.get("PATH", os.defpath))
    if found is None:
        own = pulumi_home(environment) / "bin" / "pulumi"
        found = str(own) if os.access(own, os.X_OK) and own.is_file() else None
    return Path(found).absolute() if found else None


def _version(path: Path, environment: Mapping[str, str]) -> str | None:
    settled = scrubbed(environment) | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        told = subprocess.run(  # noqa: S603 - the program that the user has installed as pulumi
            [str(path), "version"],
            env=settled,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(told.stdout)
    return match.group().removeprefix("v") if match else None


def _numbers(version: str) -> tuple[int, int, int] | None:
    match = _VERSION.fullmatch(version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None
