"""Pulumi.yaml of this repository runs: its program registers the demo fleet."""

from __future__ import annotations

import gc
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.adapters.pulumi.recording import registered
from tests.fakes.cluster import FakeCluster

ROOT = Path(__file__).parents[3]


class Connector:
    """Every entry is a cluster in memory."""

    def __init__(self, *_entries: object, **_settings: object) -> None:
        self.clusters: dict[str, FakeCluster] = {}

    def connect(self, cluster: str) -> FakeCluster:
        return self.clusters.setdefault(cluster, FakeCluster(cluster))


def run_main(cluster: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    monkeypatch.setattr("pulumi.get_root_directory", lambda: str(ROOT))
    monkeypatch.setattr("fleetmgr.wiring.walk.KubeConnector", Connector)

    def main() -> None:
        runpy.run_path(str(ROOT / project["main"]), run_name="__main__")

    try:
        return registered(main, project=project["name"], stack=cluster)
    finally:
        gc.enable()


def test_the_demo_fleet_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = run_main("dev-1", monkeypatch)
    assert "urn:pulumi:dev-1::shop::fleetmgr:index:App$kubernetes:apps/v1:Deployment::shop/web" in requests
    provider = requests["urn:pulumi:dev-1::shop::pulumi:providers:kubernetes::kubernetes"]
    assert provider["object"]["context"] == "sandbox-1"


def test_an_unknown_stack_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pulumi.RunError, match="did you mean `dev-1`"):
        run_main("dev-2", monkeypatch)
