"""Pulumi's own installer, asked for by name: its CLI comes from nowhere else."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from pulumi.automation import PulumiCommand

from fleetmgr.adapters.pulumi.cli import Cli, find_cli
from fleetmgr.adapters.pulumi.environment import pulumi_home
from fleetmgr.adapters.pulumi.masking import one_line
from fleetmgr.ports.pulumi_errors import InstallFailed


def install(environment: Mapping[str, str]) -> Cli:
    """The CLI of the installed SDK's version below PULUMI_HOME, which is not put on PATH. Raises InstallFailed."""
    home = pulumi_home(environment)
    try:
        PulumiCommand.install(root=str(home), skip_version_check=True)
    except subprocess.CalledProcessError as error:
        output: object = error.output
        said = output.decode(errors="replace") if isinstance(output, bytes) else str(error)
        raise _failed(said) from None
    except OSError as error:  # urllib's errors among them
        raise _failed(str(getattr(error, "reason", error))) from None
    return find_cli({**environment, "PATH": str(home / "bin")})


def _failed(said: str) -> InstallFailed:
    return InstallFailed(
        f"Pulumi's installer (https://get.pulumi.com/install.sh) failed: {one_line(said)}",
        hint="install the CLI by hand: https://www.pulumi.com/docs/install; the embedded engine needs nothing",
    )
