"""A valid fleet loads as it is written: includes, overlays, positions."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from fleetmgr import spec
from fleetmgr.spec.dependencies import namespace_name
from fleetmgr.spec.schema import json_schema
from tests.spec.folders import FULL_FILES, MINIMAL, loaded


def test_full_fleet(tmp_path: Path) -> None:
    found = loaded(tmp_path, FULL_FILES)
    fleet = found.fleet
    assert [c.name for c in fleet.clusters] == ["dev-1", "prod-1", "prod-2"]
    assert found.files == ("clusters/prod.yaml", "environments/prod/web.yaml", "fleet.yaml")
    assert found.root == tmp_path.resolve()
    assert found.overlays["prod", "web"].images == {"nginx": "1.27.3"}
    assert fleet.apps[0].overlays["prod"].exceptions["prod-1"].replicas == {"web": 4}
    assert fleet.clusters[0].access.context == "dev-1"
    assert namespace_name(fleet.apps[1]) == "ingress"
    assert fleet.apps[0].create_namespace is True


def test_positions(tmp_path: Path) -> None:
    found = loaded(tmp_path, FULL_FILES)
    assert str(found.where("apps", "web", "source", "path")) == "fleet.yaml:21:37"
    assert str(found.where("clusters", "prod-2", "environment")) == "clusters/prod.yaml:2:31"
    assert str(found.where("overlays", "prod", "web", "images", "nginx")) == "environments/prod/web.yaml:1:17"
    assert str(found.where("apps", "web", "dependsOn", 0)) == "fleet.yaml:22:17"
    assert str(found.where("name")) == "fleet.yaml:3:7"
    nearest = found.where("apps", "web", "timeout")
    assert str(nearest) == str(found.where("apps", "web")) == "fleet.yaml:18:5"


def test_models_are_frozen(tmp_path: Path) -> None:
    fleet = loaded(tmp_path, MINIMAL).fleet
    with pytest.raises(ValidationError):
        setattr(fleet, "name", "other")  # noqa: B010 - a type checker would refuse the assignment


def test_kubeconfig_paths(tmp_path: Path) -> None:
    home = Path("/home/me")
    for written, expected in (
        ("~/.kube/config", home / ".kube/config"),
        ("kube/dev", tmp_path.resolve() / "kube/dev"),
        ("/etc/kube", Path("/etc/kube")),
    ):
        text = MINIMAL.replace("environment: dev}", f"environment: dev, access: {{kubeconfig: {written}}}}}")
        found = loaded(tmp_path, text)
        assert found.kubeconfig(found.fleet.clusters[0], home=home) == expected


def test_include_takes_one_item_or_a_list_and_reads_a_file_once(tmp_path: Path) -> None:
    files = {
        "fleet.yaml": MINIMAL.replace("clusters: [", "clusters: [{include: [c/*.yaml, c/one.yaml]}, "),
        "c/one.yaml": "name: one\nenvironment: dev\n",
        "c/two.yaml": "- {name: two, environment: dev}\n- {name: three, environment: dev}\n",
    }
    found = loaded(tmp_path, files)
    assert [c.name for c in found.fleet.clusters] == ["one", "two", "three", "dev-1"]


def test_notes_beside_overlays_are_left_alone(tmp_path: Path) -> None:
    files = {
        "fleet.yaml": MINIMAL,
        "environments/README.md": "notes",
        "environments/dev/README.md": "notes",
        "environments/dev/.web.yaml.swp": "x",
        "environments/dev/web.yml": "replicas: {web: 2}",
    }
    found = loaded(tmp_path, files)
    assert found.overlays["dev", "web"].replicas == {"web": 2}


def test_no_apps_is_a_decision_when_written(tmp_path: Path) -> None:
    text = MINIMAL[: MINIMAL.index("apps:")] + "apps: []\n"
    assert loaded(tmp_path, text).fleet.apps == ()


@pytest.mark.parametrize("specifier", [">=0.1", "<99", "~=0.1", "==0.*", "!=3, >=0.0.1"])
def test_required_version_that_fits(tmp_path: Path, specifier: str) -> None:
    text = MINIMAL + f'requiredVersion: "{specifier}"\n'
    assert loaded(tmp_path, text).fleet.required_version == specifier


def test_schema_describes_every_field_and_no_refused_one() -> None:
    for kind in ("fleet", "overlay"):
        schema = json_schema(kind)
        assert schema["$schema"].endswith("2020-12/schema")
        for definition in (schema, *schema["$defs"].values()):
            assert definition["additionalProperties"] is False
            for name, field in definition["properties"].items():
                assert field.get("description"), name
            assert not {"promotion", "values", "dr"} & definition["properties"].keys()
    properties = json_schema("fleet")["properties"]
    assert "requiredVersion" in properties
    assert {"$ref": "#/$defs/Include"} in properties["clusters"]["items"]["anyOf"]


def test_every_refused_field_is_unknown_to_the_models() -> None:
    for model in (
        spec.Fleet,
        spec.App,
        spec.Source,
        spec.Cluster,
        spec.Environment,
        spec.Overlay,
        spec.Access,
    ):
        fields = {f.alias for f in model.model_fields.values()}
        assert not model.NOT_YET & fields
