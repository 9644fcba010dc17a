"""Applies that fail without writing anything are remembered too, once a plan; those with nothing to do are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from fleetmgr.engine.record import Record
from fleetmgr.errors import ExitCode
from fleetmgr.model.policy import OnConflict
from fleetmgr.model.report import ClusterReport
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.embedded.up import up
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError
from tests.operations.worlds import App, World, config

PARENT = ("ConfigMap", "fleetmgr-system", "shop.dev-1.web")


def app(name: str = "a", **more: Any) -> App:
    return App(manifests=[config(name)], policy_more={"on_conflict": OnConflict.FAIL}, **more)


def foreign(world: World, name: str = "a") -> None:
    """Somebody else sets what we desire."""
    world.cluster.edit("ConfigMap", "shop", name, {"data": {"a": "9"}}, manager="kubectl-edit")


@pytest.fixture
def world() -> World:
    """Well applied, then contested: nothing of Git has changed."""
    made = World()
    made.apps = {"web": app()}
    made.apply()
    foreign(made)
    made.clock.sleep(3600)
    made.forget_log()
    return made


def run(world: World, plan_id: str = "q" * 64, apps: Sequence[str] = ()) -> ClusterReport:
    scene = world.scene(*apps)
    options = UpOptions(plan_id=plan_id, revision="r2", actor="ada", wait=False, timeout=None)
    return up(scene, preview(scene), options, clock=world.clock, stop=world.stop, sink=world.events.append)


def remembered(world: World, name: str = "web") -> Record:
    record = world.scene().record(name)
    assert record is not None
    return record


def runs(world: World, name: str = "web") -> list[tuple[str, str]]:
    return [(result.plan_id[:1], result.outcome) for result in remembered(world, name).results]


def test_an_apply_of_nothing_but_a_conflict_is_in_the_history_once_a_plan(world: World) -> None:
    before = remembered(world)
    assert run(world).exit_code is ExitCode.FAILED
    assert runs(world) == [("q", "failed"), ("p", "done")]
    result = remembered(world).results[0]
    assert (result.revision, result.actor, result.counts) == ("r2", "ada", {"failed": 1})
    assert "kubectl-edit" in result.reason
    assert replace(remembered(world), results=before.results) == before, (
        "nothing else of the record is touched"
    )

    written = world.cluster.body(*PARENT)
    world.clock.sleep(60)
    run(world)
    assert world.cluster.body(*PARENT) == written, "the same again is not written"
    run(world, "z" * 64)
    run(world)
    assert runs(world) == [("z", "failed"), ("q", "failed"), ("p", "done")]


def test_after_a_good_run_the_same_failure_is_news(world: World) -> None:
    run(world)
    world.apps["web"] = replace_policy(world.apps["web"], OnConflict.TAKE)
    run(world, "g" * 64)
    world.apps["web"] = app()
    foreign(world)
    run(world)
    assert runs(world) == [("q", "failed"), ("g", "done"), ("q", "failed"), ("p", "done")]


def replace_policy(wanted: App, policy: OnConflict) -> App:
    return App(manifests=wanted.manifests, policy_more={"on_conflict": policy})


def test_an_apply_with_nothing_to_do_is_not_written() -> None:
    made = World()
    made.apps = {"web": app()}
    made.apply()
    written = made.cluster.body(*PARENT)
    made.clock.sleep(60)
    assert run(made).exit_code is ExitCode.OK
    assert made.cluster.body(*PARENT) == written


def test_an_app_that_was_refused_from_the_first_apply_on_is_remembered_once() -> None:
    made = World()
    made.apps = {"other": App(manifests=[config("o")])}
    made.apply()
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}
    made.cluster.create({**theirs, "data": {"a": "9"}}, manager="kubectl-create")
    made.apps["web"] = app()
    for _ in range(2):
        assert run(made).exit_code is ExitCode.FAILED
    assert runs(made) == [("q", "failed")]
    assert remembered(made).revision is None


def test_beside_apps_that_are_written_a_refused_one_is_remembered(world: World) -> None:
    world.apps["other"] = App(manifests=[config("o")])
    run(world)
    assert runs(world) == [("q", "failed"), ("p", "done")]
    assert runs(world, "other") == [("q", "done")]


def test_what_waits_for_a_refused_app_is_remembered_once(world: World) -> None:
    world.apps["front"] = App(manifests=[config("f")], depends_on=("web",))
    for _ in range(3):
        run(world)
    (result,) = remembered(world, "front").results
    assert (result.outcome, result.counts) == ("failed", {"skipped": 1})
    assert "app web, which front depends on, failed" in result.reason
    assert runs(world) == [("q", "failed"), ("p", "done")]


def test_what_changed_in_git_beside_the_conflict_is_remembered_once_and_stays_healthy_since(
    world: World,
) -> None:
    since = remembered(world).healthy_since
    world.apps["web"] = App(
        manifests=[config("a"), config("b")], policy_more={"on_conflict": OnConflict.FAIL}
    )
    for _ in range(3):
        assert run(world).exit_code is ExitCode.FAILED
    assert runs(world) == [("q", "failed"), ("p", "done")]
    assert remembered(world).healthy_since == since
    assert world.cluster.body("ConfigMap", "shop", "b") is None


def test_who_may_not_write_the_record_has_the_same_result(world: World) -> None:
    def deny(verb: str, resource: ApiResource | None) -> ClusterError | None:
        del resource
        return AccessDenied("forbidden", cluster="dev-1") if verb == "patch" else None

    allowed = run(world, "z" * 64)
    written = world.cluster.body(*PARENT)
    world.cluster.fault = deny
    report = run(world)
    assert (report.exit_code, report.failure, report.results) == (
        allowed.exit_code,
        allowed.failure,
        allowed.results,
    )
    world.cluster.fault = None
    assert world.cluster.body(*PARENT) == written


def test_an_apply_at_the_same_moment_wins(world: World) -> None:
    scene = world.scene()
    plan = preview(scene)
    world.apps["web"] = replace_policy(world.apps["web"], OnConflict.TAKE)
    run(world, "g" * 64)
    world.perform(scene, plan)
    assert runs(world) == [("g", "done"), ("p", "done")]
