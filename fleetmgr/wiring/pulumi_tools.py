"""What the Pulumi engine needs on this machine, for ``fleet doctor``. Imports nothing of Pulumi's SDK."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fleetmgr.adapters.pulumi.cli import find_cli
from fleetmgr.adapters.pulumi.plugins import ensure_plugin, find_plugin, wanted
from fleetmgr.errors import FleetError
from fleetmgr.expansion import engine_of
from fleetmgr.model.report import CheckResult, Diagnosis, DoctorCheck
from fleetmgr.spec import Cluster, LoadedFleet
from fleetmgr.spec.engine_rules import engine_in


def pulumi_checks(loaded: LoadedFleet, clusters: Iterable[Cluster]) -> Iterator[DoctorCheck]:
    """The CLI, its plugin and where the state is; nothing where none of ``clusters`` uses Pulumi."""
    using = [cluster for cluster in clusters if engine_of(loaded, cluster) == "pulumi"]
    if not using:
        return
    yield _cli()
    yield _plugin()
    if any(engine_in(loaded.fleet, cluster.environment).backend is None for cluster in using):
        yield DoctorCheck(
            name="pulumi state",
            result=CheckResult.WARNING,
            message="the state of Pulumi is in a folder of this user on this machine",
            hint="set `engine.backend` to a place that everybody who applies can reach",
        )


def install_pulumi() -> Diagnosis:
    """Run the official installer, then have the CLI install its plugin. Raises InstallFailed, PluginMissing."""
    environment = dict(os.environ)
    installing = importlib.import_module("fleetmgr.adapters.pulumi.installing")
    ensure_plugin(installing.install(environment), environment)
    return Diagnosis(checks=(_cli(), _plugin()))


def _cli() -> DoctorCheck:
    try:
        found = find_cli(os.environ)
    except FleetError as error:
        return _failed("pulumi", error)
    return _ok("pulumi", f"Pulumi {found.version} at {_short(found.path)}")


def _plugin() -> DoctorCheck:
    found = find_plugin(os.environ)
    if found is not None:
        return _ok("pulumi plugin", f"Kubernetes provider at {_short(found)}")
    return DoctorCheck(
        name="pulumi plugin",
        result=CheckResult.WARNING,
        message=f"the Kubernetes provider v{wanted()} is not installed",
        hint=f"the first apply installs it where the network allows: pulumi plugin install resource kubernetes"
        f" v{wanted()}",
    )


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _ok(name: str, message: str) -> DoctorCheck:
    return DoctorCheck(name=name, result=CheckResult.OK, message=message)


def _failed(name: str, error: FleetError) -> DoctorCheck:
    return DoctorCheck(
        name=name,
        result=CheckResult.FAILED,
        message=error.message,
        hint=error.hint,
        exit_code=error.exit_code,
    )
