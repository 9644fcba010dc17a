"""The Kubernetes provider of Pulumi: there, at the version of the installed SDK, before anything runs side by side.

Processes that install one plugin at a time get in each other's way, so it is installed once, before the first run,
and no run installs anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from fleetmgr.adapters.pulumi.cli import ALTERNATIVE, Cli, ask
from fleetmgr.adapters.pulumi.environment import pulumi_home, settled
from fleetmgr.adapters.pulumi.masking import one_line
from fleetmgr.ports.pulumi_errors import PluginMissing

PLUGIN = "kubernetes"
_PROGRAM = f"pulumi-resource-{PLUGIN}"
_SECONDS = 600


def wanted() -> str:
    """The provider's version, which is the SDK's: 4.34.2."""
    return version("pulumi-kubernetes")


def find_plugin(environment: Mapping[str, str]) -> Path | None:
    """The provider's program or its folder, as the CLI looks for it: PATH, then PULUMI_HOME/plugins."""
    ambient = shutil.which(_PROGRAM, path=environment.get("PATH", os.defpath))
    if ambient is not None:
        return Path(ambient).absolute()
    folder = pulumi_home(environment) / "plugins" / f"resource-{PLUGIN}-v{wanted()}"
    partial = folder.with_name(f"{folder.name}.partial")
    return folder if folder.is_dir() and not partial.exists() else None


def ensure_plugin(cli: Cli, environment: Mapping[str, str]) -> Path:
    """``find_plugin``, installed by the CLI where it is not there. Raises PluginMissing."""
    found = find_plugin(environment)
    if found is not None:
        return found
    told = _install(cli, environment)
    found = find_plugin(environment)
    if found is None:
        by_hand = f"pulumi plugin install resource {PLUGIN} v{wanted()}"
        raise PluginMissing(
            f"Pulumi's Kubernetes provider v{wanted()} is not there and cannot be installed: {told}",
            hint=f"where the network allows: `{by_hand}`; else unpack it to {pulumi_home(environment)}/plugins/"
            f"resource-{PLUGIN}-v{wanted()}; {ALTERNATIVE}",
        )
    return found


def _install(cli: Cli, environment: Mapping[str, str]) -> str:
    """What the CLI said, on one line."""
    arguments = ["plugin", "install", "resource", PLUGIN, f"v{wanted()}", "--non-interactive"]
    try:
        done = ask(cli.path, arguments, settled(environment, backend="file://~"), seconds=_SECONDS)
    except OSError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return f"no answer in {_SECONDS} s"
    told = done.stderr or done.stdout
    return one_line(told.rpartition("error: ")[2])
