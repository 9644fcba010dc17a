"""fleet add and fleet remove: what they write, refuse, ask and say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetmgr.adapters.fleetfile.files import ChangedMeanwhile, FleetYaml
from fleetmgr.errors import FleetError
from fleetmgr.operations.add import NewCluster
from fleetmgr.ports.fleet_file import Edit
from fleetmgr.spec import load
from fleetmgr.wiring import fleet_file as wired
from tests.cli.conftest import Cli

FLEET = """\
# our fleet
apiVersion: fleetmgr.dev/v1
kind: Fleet
name: shop
environments: # in order
  - name: dev
    sync: {prune: true}
  - name: prod   # careful
clusters:
  - {name: dev-1, environment: dev, access: {context: dev-1}}
  - include: clusters/*.yaml
apps:
  - name: redis
    namespace: "shop"
    source: {type: manifests, path: apps/redis}

  # the shop itself
  - name: web
    namespace: shop
    source: {type: manifests, path: apps/web}
    dependsOn: [redis]
"""
PROD = "# prod\nname: prod-1\nenvironment: prod\naccess: {context: prod-1}\n"
UID = "39f2ca4d-a808-473e-839b-02dbd3879a92"


def pinned(_file: Path, _new: NewCluster) -> str:
    return UID


@pytest.fixture
def here(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path.cwd()
    files = {
        "fleet.yaml": FLEET,
        "clusters/prod-1.yaml": PROD,
        "environments/prod/web.yaml": "replicas: {}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "apps/web").mkdir(parents=True)
    monkeypatch.setattr(wired, "read_identity", pinned)
    assert cli.home
    return folder


def text(folder: Path) -> str:
    return (folder / "fleet.yaml").read_text()


def test_an_app(cli: Cli, here: Path) -> None:
    result = cli("add", "app", "api", "--path", "apps/web", "-e", "dev", "--depends-on", "redis")
    entry = (
        "\n  - name: api\n    namespace: api\n    placement: {environments: [dev]}\n"
        "    source: {type: manifests, path: apps/web}\n    dependsOn: [redis]\n"
    )
    assert (result.code, text(here)) == (0, FLEET + entry)
    assert "+  - name: api\n" in result.out
    assert result.out.endswith("\n\nWritten: fleet.yaml.\n")


def test_a_cluster_is_pinned(cli: Cli, here: Path) -> None:
    args = ("--context", "c", "--label", "a=b", "--label", "on=true", "--var", "n=3", "--var", "t=x=y")
    assert cli("add", "cluster", "dev-2", "-e", "dev", *args).code == 0
    cluster = next(c for c in load(here / "fleet.yaml").fleet.clusters if c.name == "dev-2")
    assert (cluster.labels, cluster.vars) == ({"a": "b", "on": "true"}, {"n": 3, "t": "x=y"})
    assert (cluster.identity, cluster.access.context) == (UID, "c")
    assert len(text(here).splitlines()) == len(FLEET.splitlines()) + 1  # in one line, as its neighbours


def test_a_cluster_that_does_not_answer_is_added_and_said_so(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_file: Path, _new: NewCluster) -> str:
        raise FleetError("no answer from c")

    monkeypatch.setattr(wired, "read_identity", silent)
    result = cli("add", "cluster", "dev-2", "-e", "dev", "--context", "c")
    assert (result.code, "note: identity is not pinned: no answer from c\n" in result.out) == (0, True)
    assert "identity" not in text(here)


def test_an_environment_in_its_place(cli: Cli, here: Path) -> None:
    assert cli("add", "environment", "qa", "--after", "dev", "--prune").code == 0
    assert text(here) == FLEET.replace(
        "  - name: prod", "  - name: qa\n    sync: {prune: true}\n  - name: prod"
    )
    assert cli("remove", "environment", "qa").code == 0
    assert text(here) == FLEET


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["add", "app", "web", "--path", "apps/web"], 64, "app `web` exists already\n  at fleet.yaml:18"),
        (["add", "app", "x", "--path", "apps/wep"], 64, "there is no folder apps/wep"),
        (["add", "app", "x", "--path", "apps/web", "-e", "pord"], 64, "did you mean `prod`?"),
        (["add", "app", "x", "--path", "apps/web", "--depends-on", "redsi"], 64, "did you mean `redis`?"),
        (["add", "app", "X_", "--path", "apps/web"], 64, "must be a DNS label"),
        (["add", "cluster", "x", "-e", "dve", "--context", "c"], 64, "did you mean `dev`?"),
        (["add", "cluster", "x", "-e", "dev", "--context", "c", "--label", "a"], 64, "is not KEY=VALUE"),
        (["add", "cluster", "x", "-e", "dev", "--context", "c", "--label", "a=/"], 1, "nothing was written"),
        (["add", "environment", "qa", "--after", "pord"], 64, "did you mean `prod`?"),
        (["remove", "app", "wbe"], 64, "did you mean `web`?"),
        (["remove", "app", "redis"], 1, "there is no app `redis`\n  at fleet.yaml:17:17"),
        (["remove", "app", "web"], 64, "environments/prod/web.yaml would match nothing"),
        (["remove", "environment", "prod"], 1, "cluster `prod-1` is in environment `prod`"),
        (["remove", "cluster", "prod-1"], 1, "matches no file"),
        (["add", "ap"], 64, "No such command"),
    ],
)
def test_refusals_write_nothing(cli: Cli, here: Path, args: list[str], code: int, says: str) -> None:
    result = cli(*args)
    assert (result.code, says in result.err) == (code, True), result.err
    assert text(here) == FLEET
    assert (here / "environments/prod/web.yaml").exists()


def test_an_app_with_its_overlays(cli: Cli, here: Path) -> None:
    result = cli("remove", "app", "web", "--overlays")
    assert result.code == 0
    assert not (here / "environments/prod").exists()
    assert text(here) == FLEET[: FLEET.index("  - name: web")]  # the comment above it stays
    assert "delete its objects on dev-1 (prune is on)" in result.out
    assert "stay as orphaned on prod-1 (prune is off)" in result.out


def test_a_cluster_in_a_file_of_its_own(cli: Cli, here: Path) -> None:
    (here / "clusters/prod-2.yaml").write_text(PROD.replace("prod-1", "prod-2"))
    result = cli("remove", "cluster", "prod-1")
    assert (result.code, "removing the entry deletes nothing" in result.out) == (0, True)
    assert not (here / "clusters/prod-1.yaml").exists()
    assert text(here) == FLEET


def test_where_all_are_included_a_new_one_is_a_file_too(cli: Cli, here: Path) -> None:
    fleet = FLEET.replace("  - {name: dev-1, environment: dev, access: {context: dev-1}}\n", "")
    (here / "fleet.yaml").write_text(fleet)
    result = cli("add", "cluster", "dev-1", "-e", "dev", "--context", "c", "--no-identity")
    assert (result.code, text(here)) == (0, fleet)
    written = (here / "clusters/dev-1.yaml").read_text()
    assert written == "name: dev-1\nenvironment: dev\naccess: {context: c}\n"


def test_an_entry_of_an_included_list_is_edited_there(cli: Cli, here: Path) -> None:
    entries = "- name: prod-1\n  environment: prod\n- name: prod-2 # second\n  environment: prod\n"
    (here / "clusters/prod-1.yaml").write_text(entries)
    assert cli("remove", "cluster", "prod-2").code == 0
    assert (here / "clusters/prod-1.yaml").read_text() == "- name: prod-1\n  environment: prod\n"
    assert text(here) == FLEET


def test_a_dry_run_shows_and_writes_nothing(cli: Cli, here: Path) -> None:
    result = cli("add", "environment", "qa", "--dry-run")
    assert (result.code, text(here)) == (0, FLEET)
    assert "+  - name: qa\n" in result.out
    assert "Nothing was written." in result.out


@pytest.mark.parametrize(("answer", "code", "written"), [("y\n", 0, True), ("\n", 1, False)])
def test_a_terminal_is_asked(cli: Cli, here: Path, answer: str, code: int, *, written: bool) -> None:
    result = cli("add", "environment", "qa", stdin=answer)
    assert (result.code, "name: qa" in text(here)) == (code, written)
    assert "+  - name: qa" in result.err


def test_json(cli: Cli, here: Path) -> None:
    result = cli("add", "environment", "qa", "-o", "json")
    data = json.loads(result.out)
    assert (data["kind"], data["written"], data["files"]) == ("Edit", True, ["fleet.yaml"])
    assert data["entry"] == {"kind": "environment", "name": "qa"}
    assert "+  - name: qa\n" in data["diff"]
    assert "qa" in text(here)


def test_line_breaks_and_mode_stay(cli: Cli, here: Path) -> None:
    path = here / "fleet.yaml"
    path.write_bytes(FLEET.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    assert cli("add", "environment", "qa").code == 0
    written = path.read_bytes()
    assert written.replace(b"\r\n", b"\n").count(b"\r") == 0
    assert written.count(b"\r\n") == written.count(b"\n") == len(FLEET.splitlines()) + 1
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in here.iterdir()) == ["apps", "clusters", "environments", "fleet.yaml"]


def test_a_file_that_changed_meanwhile_is_left_alone(here: Path) -> None:
    file = FleetYaml(here / "fleet.yaml")
    edits = [file.add("environments", {"name": "qa"}), file.delete("environments/prod/web.yaml")]
    (here / "environments/prod/web.yaml").write_text("# mine\n")
    with pytest.raises(ChangedMeanwhile):
        file.write(edits)
    assert text(here) == FLEET
    with pytest.raises(ChangedMeanwhile):
        file.write([Edit(file="clusters/prod-1.yaml", before=None, after=b"")])


def test_a_fleet_that_is_broken_is_reported(cli: Cli, here: Path) -> None:
    (here / "fleet.yaml").write_text("name: [")
    assert "FLT-1001" in cli("add", "environment", "qa").err
    (here / "fleet.yaml").write_text("- name")
    assert cli("add", "environment", "qa").code == 1
    (here / "fleet.yaml").unlink()
    assert cli("remove", "app", "qa").code == 64
