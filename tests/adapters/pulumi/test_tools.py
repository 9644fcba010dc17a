"""`fleet doctor` about Pulumi, and its installer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import pytest
from pulumi.automation import PulumiCommand

from fleetmgr.adapters.pulumi.installing import install
from fleetmgr.cli.main import run
from fleetmgr.errors import ExitCode
from fleetmgr.model.report import CheckResult, DoctorCheck
from fleetmgr.ports.pulumi_errors import InstallFailed
from fleetmgr.spec import load
from fleetmgr.wiring.pulumi_tools import pulumi_checks
from tests.adapters.pulumi.stubbed import World

FLEET = """\
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: shop
environments: [{name: dev}, {name: prod, engine: {type: pulumi}}]
clusters: [{name: dev-1, environment: dev}, {name: prod-1, environment: prod}]
apps: []
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def checks(world: World, monkeypatch: pytest.MonkeyPatch, *clusters: str) -> dict[str, DoctorCheck]:
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    (world.folder / "fleet.yaml").write_text(FLEET)
    loaded = load(world.folder / "fleet.yaml")
    chosen = [c for c in loaded.fleet.clusters if c.name in clusters]
    return {check.name: check for check in pulumi_checks(loaded, chosen)}


def test_a_fleet_that_uses_no_pulumi_is_told_nothing_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not checks(world, monkeypatch, "dev-1")


def test_cli_plugin_and_state_are_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = checks(world, monkeypatch, "dev-1", "prod-1")
    assert found["pulumi"].result is CheckResult.OK
    assert "Pulumi 3.260.0 at " in found["pulumi"].message
    assert found["pulumi plugin"].result is CheckResult.WARNING
    assert "pulumi plugin install resource kubernetes v4." in (found["pulumi plugin"].hint or "")
    assert "on this machine" in found["pulumi state"].message


@pytest.mark.parametrize("version", ["v3.100.0", None])
def test_what_is_missing_or_too_old_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    if version is None:
        (world.bin / "pulumi").unlink()
    else:
        world.behave(version=version)
    found = checks(world, monkeypatch, "prod-1")["pulumi"]
    assert found.exit_code is ExitCode.FAILED
    assert "--install pulumi" in (found.hint or "")


def test_no_network_is_told_with_the_way_by_hand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: object) -> PulumiCommand:
        raise URLError("no such host")

    monkeypatch.setattr(PulumiCommand, "install", unreachable)
    with pytest.raises(InstallFailed, match="no such host") as raised:
        install(world.environment)
    assert "by hand" in (raised.value.hint or "")


def test_what_the_installer_says_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> PulumiCommand:
        raise subprocess.CalledProcessError(1, ["install.sh"], output=b"error: disk full")

    monkeypatch.setattr(PulumiCommand, "install", broken)
    with pytest.raises(InstallFailed, match="disk full"):
        install(world.environment)


def test_what_was_installed_goes_before_an_old_one_on_the_path(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = world.home / ".pulumi" / "bin"
    own.mkdir(parents=True)
    (own / "pulumi").write_text("#!/bin/sh\necho v3.272.0\n")
    (own / "pulumi").chmod(0o755)
    world.behave(version="v3.100.0")
    assert "Pulumi 3.272.0 at ~/.pulumi" in checks(world, monkeypatch, "prod-1")["pulumi"].message

    def installed(**_: object) -> None:
        """It is there already."""

    monkeypatch.setattr(PulumiCommand, "install", installed)
    assert install(world.environment).version == "3.272.0"


@pytest.mark.parametrize(
    "module", ["fleetmgr.wiring.walk", "fleetmgr.wiring.pulumi_tools", "fleetmgr.cli.apply"]
)
def test_nothing_of_pulumi_is_imported_where_it_is_not_used(module: str) -> None:
    code = f"import sys, {module}; print(sorted(n for n in sys.modules if n.split('.')[0] in ('pulumi', 'grpc')))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_doctor_installs_and_says_what_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def installed(**_: object) -> None:
        own = world.home / ".pulumi" / "bin"
        own.mkdir(parents=True)
        (world.bin / "pulumi").rename(own / "pulumi")

    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.setattr(PulumiCommand, "install", installed)
    assert run(["doctor", "--install", "pulumi"], environment=world.environment) == 0
    told = capsys.readouterr().out
    assert "Pulumi 3.260.0 at ~/.pulumi/bin/pulumi" in told
    assert "Kubernetes provider at ~/.pulumi/plugins/resource-kubernetes-v4." in told
