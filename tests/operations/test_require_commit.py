"""``requireCommit``: what is not in Git is not applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from fleetmgr.adapters.git.repository import GitRepository
from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Plan
from fleetmgr.model.selection import Selection
from fleetmgr.operations.apply import apply
from fleetmgr.operations.guards import PlanRefused
from fleetmgr.operations.plan import plan
from fleetmgr.operations.walk import Walk
from fleetmgr.reporting.plan_text import plan_text
from tests.adapters.git.checkouts import commit_all, new_repository, run_git
from tests.operations.fleet_in_memory import FleetInMemory
from tests.operations.worlds import config


class Committed:
    """Two environments, each with one cluster, in a real repository."""

    def __init__(self, folder: Path, **environments: Any) -> None:
        layout = {"dev": ["dev-1"], "prod": ["prod-1"]}
        self.fleet = FleetInMemory(folder, layout)
        self.root = new_repository(self.fleet.root)
        self.fleet.environment_more = environments
        self.fleet.save()
        commit_all(self.root)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def walk(self, **more: Any) -> Walk:
        return replace(self.fleet.walk(), repository=GitRepository(self.root), **more)

    def planned(self, walk: Walk | None = None, **selection: Any) -> Plan:
        return plan(walk or self.walk(), Selection(**selection), self.fleet.events.append)

    def refused(self, **selection: Any) -> list[tuple[str, str]]:
        return [(r.cluster, r.problem.code) for r in self.planned(**selection).refusals]

    def apply(self, walk: Walk) -> None:
        made = self.planned(walk)
        apply(walk, made, Selection(), self.fleet.events.append, wait=False, timeout=None)


GUARDED = {"prod": {"requireCommit": "committed"}}
NOT_COMMITTED = [("prod-1", "FLT-5050")]


def test_a_clean_repository_is_applied(tmp_path: Path) -> None:
    fleet = Committed(tmp_path, **GUARDED)
    fleet.write("README.md", "what the fleet does not read does not matter")
    fleet.write("apps/other/x.yaml", "nor does this")
    assert fleet.refused() == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("apps/web/all.yaml", config(b="2")),
        ("apps/web/new.yaml", config("new")),
        ("environments/prod/web.yaml", "images: {web: '2'}"),
    ],
)
def test_an_uncommitted_file_that_is_read_refuses_and_nothing_is_written(
    tmp_path: Path, name: str, text: str
) -> None:
    fleet = Committed(tmp_path, **GUARDED)
    fleet.write(name, text)
    walk = fleet.walk()
    made = fleet.planned(walk)
    assert [(r.cluster, r.problem.code) for r in made.refusals] == NOT_COMMITTED
    told = plan_text(made, ())
    assert f"environment prod asks that what is applied is committed, and {name} is not" in told
    assert "--allow-dirty REASON" in told
    with pytest.raises(PlanRefused) as refused:
        fleet.apply(walk)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert fleet.fleet.written() == {"dev-1": [], "prod-1": []}


def test_fleet_yaml_itself_and_a_deleted_manifest_count(tmp_path: Path) -> None:
    fleet = Committed(tmp_path, **GUARDED)
    fleet.write("apps/web/second.yaml", config("second"))
    commit_all(fleet.root)
    (fleet.root / "apps/web/second.yaml").unlink()
    assert fleet.refused() == NOT_COMMITTED
    run_git(fleet.root, "checkout", "--quiet", ".")
    assert fleet.refused() == []
    fleet.fleet.environment_more["dev"] = {"vars": {"a": 1}}
    assert fleet.refused() == NOT_COMMITTED


def test_the_overlay_of_another_environment_does_not_count(tmp_path: Path) -> None:
    fleet = Committed(tmp_path, **GUARDED)
    fleet.write("environments/dev/web.yaml", "images: {web: '2'}")
    assert fleet.refused() == []


def test_only_selected_clusters_are_judged(tmp_path: Path) -> None:
    fleet = Committed(tmp_path, **GUARDED)
    fleet.write("apps/web/new.yaml", config("new"))
    assert fleet.refused(environments=("dev",)) == []
    assert fleet.refused(environments=("prod",)) == NOT_COMMITTED


def test_a_reason_lets_it_pass_and_is_remembered(tmp_path: Path) -> None:
    fleet = Committed(tmp_path, **GUARDED)
    fleet.write("apps/web/new.yaml", config("new"))
    fleet.apply(fleet.walk(dirty_reason="the build is down"))
    record = fleet.walk()
    fleet.planned(record)
    remembered = record.scenes["prod-1"].record("web")
    assert remembered is not None
    assert remembered.results[0].dirty_reason == "the build is down"


def test_outside_git_nothing_is_committed(tmp_path: Path) -> None:
    fleet = Committed(tmp_path, **GUARDED)
    (fleet.root / ".git").rename(tmp_path / "elsewhere")
    assert fleet.refused() == NOT_COMMITTED


def test_pushed_wants_a_remote_to_have_it_if_there_is_one(tmp_path: Path) -> None:
    fleet = Committed(tmp_path, prod={"requireCommit": "pushed"})
    assert fleet.refused() == []
    run_git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "remote"))
    run_git(fleet.root, "remote", "add", "origin", str(tmp_path / "remote"))
    assert fleet.refused() == [("prod-1", "FLT-5051")]
    run_git(fleet.root, "push", "--quiet", "origin", "main")
    assert fleet.refused() == []


@pytest.mark.parametrize(
    ("defaults", "environment", "app", "refused"),
    [
        (None, None, "committed", True),
        (None, "never", "committed", True),
        ("committed", None, None, True),
        ("committed", "never", None, False),
        ("never", None, None, False),
    ],
)
def test_the_strictest_of_environment_and_app_holds_and_defaults_where_neither_says_anything(
    tmp_path: Path, defaults: str | None, environment: str | None, app: str | None, refused: bool
) -> None:
    fleet = Committed(tmp_path)
    document = yaml.safe_load((fleet.root / "fleet.yaml").read_text())
    for place, rule in (
        (document["defaults"], defaults),
        (document["environments"][1], environment),
        (document["apps"][0], app),
    ):
        place.update({"requireCommit": rule} if rule else {})
    fleet.fleet.more = {"defaults": document["defaults"], "apps": document["apps"]}
    fleet.fleet.environment_more = {"prod": document["environments"][1]}
    fleet.fleet.save()
    commit_all(fleet.root)
    fleet.write("apps/web/new.yaml", config("new"))
    assert bool(fleet.refused(environments=("prod",))) is refused
