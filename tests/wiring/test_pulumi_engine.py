"""What fleet.yaml says about Pulumi, as the adapter takes it: where the state is, and the way in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetmgr.adapters.pulumi import engine as adapter
from fleetmgr.adapters.pulumi.settings import StackSettings
from fleetmgr.errors import FleetError
from fleetmgr.spec import load
from fleetmgr.wiring import pulumi_engine
from tests.adapters.pulumi.stubbed import World

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority: ca.crt, insecure-skip-tls-verify: false}}
users:
- {name: u, user: {token: s3cr3t-token, as: somebody, exec: {command: ./plugin, env: null}}}
contexts:
- {name: one, context: {cluster: c, user: u, namespace: web}}
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("KUBECONFIG", "PULUMI_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (world.home / ".kube").mkdir()
    (world.home / ".kube" / "config").write_text(KUBECONFIG)
    return world


def settings(world: World, monkeypatch: pytest.MonkeyPatch, engine: Any, **access: Any) -> StackSettings:
    """What the stack of the one entry is opened with."""
    file = world.folder / "fleet.yaml"
    document = {
        "apiVersion": "fleetmgr.dev/v1",
        "kind": "Fleet",
        "name": "shop",
        "engine": {"type": "pulumi"} | engine,
        "environments": [{"name": "dev"}],
        "clusters": [{"name": "dev-1", "environment": "dev", "access": access}],
        "apps": [],
    }
    file.write_text(yaml.safe_dump(document))
    found: list[StackSettings] = []

    class Told(adapter.CliStack):
        def __init__(self, settings: StackSettings, *_: Any) -> None:
            found.append(settings)

    monkeypatch.setattr(adapter, "CliStack", Told)
    pulumi_engine.open_engine(load(file)).stack("dev-1")
    return found[0]


@pytest.mark.parametrize(
    ("said", "backend", "name"),
    [
        ({}, "file://HOME/.local/state/fleetmgr/pulumi", "organization/shop/dev-1"),
        ({"backend": "file://state"}, "file://ROOT/state", "organization/shop/dev-1"),
        ({"backend": "file://~/state?no_tmp_dir=true"}, "file://HOME/state?no_tmp_dir=true", None),
        ({"backend": "s3://b/shop?region=x"}, "s3://b/shop?region=x", "organization/shop/dev-1"),
        ({"backend": "https://api.pulumi.com"}, "https://api.pulumi.com", "dev-1"),
        ({"backend": "https://api.pulumi.com", "organization": "acme"}, None, "acme/shop/dev-1"),
    ],
)
def test_where_the_state_is(
    world: World, monkeypatch: pytest.MonkeyPatch, said: Any, backend: str | None, name: str | None
) -> None:
    found = settings(world, monkeypatch, said)
    if backend is not None:
        expected = backend.replace("HOME", str(world.home)).replace("ROOT", str(world.folder))
        assert found.backend == expected
    assert name in {None, found.name}


def test_the_folder_of_a_first_try_is_ones_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(world, monkeypatch, {})
    assert (world.home / ".local" / "state" / "fleetmgr" / "pulumi").stat().st_mode & 0o777 == 0o700


def test_every_key_is_obeyed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"secretsProvider": "awskms://alias/x", "parallel": 3, "timeout": "90s"}
    found = settings(world, monkeypatch, said)
    assert (found.secrets_provider, found.parallel, found.seconds) == ("awskms://alias/x", 3, 90.0)


def test_one_kubeconfig_file_goes_by_its_path(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    way = settings(world, monkeypatch, {}, context="one").way
    assert (way.kubeconfig, way.context, way.document) == (str(world.home / ".kube" / "config"), "one", None)


def test_whom_to_act_as_is_written_for_the_run_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"user": "deployer", "groups": ["g"], "extra": {"k": ["1", "2"]}}
    way = settings(world, monkeypatch, {}, impersonate=wanted).way
    assert way.kubeconfig is None
    assert "s3cr3t-token" not in repr(way)
    document = yaml.safe_load(way.document or "")
    assert document["users"][0]["user"] == {
        "token": "s3cr3t-token",
        "exec": {"command": str(world.home / ".kube" / "plugin")},
        "as": "deployer",
        "as-groups": ["g"],
        "as-user-extra": {"k": ["1", "2"]},
    }
    assert document["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:6443",
        "certificate-authority": str(world.home / ".kube" / "ca.crt"),
        "insecure-skip-tls-verify": False,
    }
    assert document["current-context"] == way.context
    assert document["contexts"][0]["context"]["namespace"] == "web"


def test_several_files_become_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = world.folder / "other"
    other.write_text(KUBECONFIG.replace("name: one", "name: two").replace("s3cr3t-token", "other-token"))
    monkeypatch.setenv("KUBECONFIG", f"{world.home}/.kube/config:{other}")
    way = settings(world, monkeypatch, {}, context="two").way
    assert way.kubeconfig is None
    assert "s3cr3t-token" in (way.document or ""), "the first file that names a user wins"


def test_a_pod_is_let_in_by_the_file_of_its_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    way = settings(world, monkeypatch, {}, inCluster=True).way
    document = yaml.safe_load(way.document or "")
    assert document["clusters"][0]["cluster"]["server"] == "https://[fd00::1]:443"
    assert document["users"][0]["user"] == {
        "tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"
    }


@pytest.mark.parametrize("access", [{"inCluster": True}, {"kubeconfig": "nowhere"}])
def test_no_way_in_is_told_for_its_cluster(
    world: World, monkeypatch: pytest.MonkeyPatch, access: dict[str, Any]
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(FleetError, match="no access to dev-1"):
        settings(world, monkeypatch, {}, **access)
