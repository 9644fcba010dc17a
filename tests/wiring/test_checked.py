"""Checked once: the second run loads neither pydantic nor GitPython, and any doubt means checking again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleetmgr.errors import InvalidInput
from fleetmgr.operations.entries import entry_of
from fleetmgr.spec.kept import plain
from fleetmgr.spec.loader import load
from fleetmgr.wiring import checked
from tests.spec.folders import FULL_FILES, MINIMAL, write

HEAVY = ("pydantic", "git", "cel", "ruamel", "pulumi", "jsonschema")
MOST_MODULES = 280
"""Modules of our own that a plan may load: each costs half a millisecond at every start."""
PLAN = f"""
import os, sys
from fleetmgr.cli.main import run
code = run(["plan", "--progress", "none"], environment=os.environ)
heavy = [name for name in {HEAVY!r} if name in sys.modules]
own = sum(name.split(".")[0] == "fleetmgr" for name in sys.modules)
print(code, heavy, own, file=sys.stderr)
"""
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: gone, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: gone, user: {token: none}}]
contexts: [{name: gone, context: {cluster: gone, user: gone}}]
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/fleetmgr/checked"


def never(_: object) -> object:
    raise AssertionError("checked again")


def test_an_unchanged_fleet_is_checked_once(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "fleet", FULL_FILES)
    first = checked.load_checked(path)
    monkeypatch.setattr(checked, "_check", never)
    again = checked.load_checked(path)
    assert plain(again.fleet) == plain(first.fleet) == plain(load(path).fleet)
    (entry,) = cache.iterdir()
    assert entry.stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("cache")
def test_entries_that_share_an_api_server_still_know_of_each_other(tmp_path: Path) -> None:
    second = "{name: dev-1, environment: dev}, {name: dev-2, environment: dev}"
    path = write(tmp_path, {"fleet.yaml": MINIMAL.replace("{name: dev-1, environment: dev}", second)})
    for _ in range(2):
        loaded = checked.load_checked(path)
        assert entry_of(loaded, loaded.fleet.clusters[0]).shares_with == {"dev-2"}


def test_a_file_that_appears_vanishes_or_changes_is_seen(tmp_path: Path, cache: Path) -> None:
    path = write(tmp_path / "fleet", FULL_FILES)
    checked.load_checked(path)
    write(tmp_path / "fleet", {"clusters/more.yaml": "- {name: prod-3, environment: prod}\n"})
    assert "prod-3" in [c.name for c in checked.load_checked(path).fleet.clusters]
    overlay = tmp_path / "fleet/environments/prod/web.yaml"
    overlay.write_text("replicas: {web: 5}\n")
    assert checked.load_checked(path).overlays["prod", "web"].replicas == {"web": 5}
    overlay.unlink()
    assert not checked.load_checked(path).overlays
    write(tmp_path / "fleet", {"environments/dev/ingress.yaml": "labels: {a: b}\n"})
    assert list(checked.load_checked(path).overlays) == [("dev", "ingress")]
    assert len(list(cache.iterdir())) == 5


@pytest.mark.parametrize(
    "files",
    [
        {"fleet.yaml": MINIMAL.replace("environment: dev}", "environment: none}")},
        {"fleet.yaml": MINIMAL + "unknown: 1\n"},
        {"fleet.yaml": MINIMAL, "environments/dev/wbe.yaml": "labels: {a: b}\n"},
        {"fleet.yaml": MINIMAL.replace("[{name: dev-1, environment: dev}]", "[{include: x/*.yaml}]")},
        {"fleet.yaml": "a: [\n"},
        {"fleet.yaml": MINIMAL + 'requiredVersion: ">=99"\n'},
    ],
)
def test_problems_are_those_of_a_full_load_every_time(
    tmp_path: Path, cache: Path, files: dict[str, str]
) -> None:
    path = write(tmp_path / "fleet", files)
    with pytest.raises(InvalidInput) as full:
        load(path)
    for _ in range(2):
        with pytest.raises(InvalidInput) as found:
            checked.load_checked(path)
        assert found.value.problems == full.value.problems
    assert not cache.exists()


@pytest.mark.parametrize("damage", [b"", b"x" * 500, None])
def test_what_was_cut_off_edited_or_is_another_ones_is_not_believed(
    tmp_path: Path, cache: Path, damage: bytes | None
) -> None:
    path = write(tmp_path / "fleet", {"fleet.yaml": MINIMAL})
    first = checked.load_checked(path)
    (entry,) = cache.iterdir()
    if damage is None:
        other = write(tmp_path / "other", FULL_FILES)
        checked.load_checked(other)
        (wrong,) = set(cache.iterdir()) - {entry}
        damage = wrong.read_bytes()
    entry.write_bytes(damage)
    assert plain(checked.load_checked(path).fleet) == plain(first.fleet)
    assert entry.read_bytes() != damage


def test_other_rules_mean_checking_again(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "fleet", {"fleet.yaml": MINIMAL})
    checked.load_checked(path)
    monkeypatch.setattr(checked, "__version__", "99.0")
    checked.load_checked(path)
    assert len(list(cache.iterdir())) == 2


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    path = write(tmp_path / "fleet", {"fleet.yaml": MINIMAL})
    assert checked.load_checked(path).fleet.name == "shop"


def test_old_entries_are_forgotten(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "MOST_ENTRIES", 2)
    for number in range(4):
        path = write(
            tmp_path / "fleet", {"fleet.yaml": MINIMAL.replace("name: shop", f"name: shop-{number}")}
        )
        checked.load_checked(path)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.usefixtures("cache")
def test_a_second_plan_loads_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    access = "environment: dev, access: {kubeconfig: kube.yaml, context: gone}}"
    fleet = MINIMAL.replace("environment: dev}", access)
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
    write(tmp_path / "fleet", {"fleet.yaml": fleet, "kube.yaml": KUBECONFIG, "apps/web/a.yaml": manifest})
    ends: list[str] = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PLAN],
            cwd=tmp_path / "fleet",
            capture_output=True,
            text=True,
            check=True,
        )
        ends.append(done.stderr.splitlines()[-1])
    code, _, rest = ends[1].partition(" ")
    heavy, _, own = rest.rpartition(" ")
    assert code == "4"
    assert heavy == "[]"
    assert int(own) <= MOST_MODULES
    assert "pydantic" in ends[0]
