"""Which engine a cluster entry has: the command line, then its environment, then the fleet."""

from __future__ import annotations

from pathlib import Path

from fleetmgr.expansion import engine_of
from fleetmgr.spec import LoadedFleet, load
from fleetmgr.spec.engine import Engine
from fleetmgr.spec.engine_rules import EngineSettings, engine_in

FLEET = """\
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: shop
engine: {backend: "s3://state/shop", parallel: 4}
environments:
- {name: dev}
- {name: prod, engine: {type: pulumi, parallel: 8}}
clusters:
- {name: dev-1, environment: dev}
- {name: prod-1, environment: prod}
apps: []
"""


def loaded(tmp_path: Path) -> LoadedFleet:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    return load(tmp_path / "fleet.yaml")


def test_an_environment_may_have_another_engine(tmp_path: Path) -> None:
    fleet = loaded(tmp_path)
    assert [engine_of(fleet, cluster) for cluster in fleet.fleet.clusters] == ["embedded", "pulumi"]


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    fleet = loaded(tmp_path)
    assert {engine_of(fleet, cluster, "pulumi") for cluster in fleet.fleet.clusters} == {"pulumi"}
    assert {engine_of(fleet, cluster, "embedded") for cluster in fleet.fleet.clusters} == {"embedded"}


def test_each_key_is_said_by_the_last_layer_that_says_it(tmp_path: Path) -> None:
    prod = engine_in(loaded(tmp_path).fleet, "prod")
    assert (prod.type, prod.backend, prod.parallel) == ("pulumi", "s3://state/shop", 8)
    assert engine_in(loaded(tmp_path).fleet, "dev").parallel == 4


def test_settings_have_every_key_of_the_specification() -> None:
    assert list(EngineSettings.__struct_fields__) == list(Engine.model_fields)
