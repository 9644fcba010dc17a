"""A Job that its TTL removed has run: it is not run again, and not missed."""

from __future__ import annotations

import pytest
import yaml

from fleetmgr.errors import ExitCode
from tests.operations.worlds import App, SettlingClock, World, config, deployment


def job(name: str = "migrate", image: str = "tool:1", ttl: int | None = 5) -> str:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}}
    spec = {"template": template} | ({"ttlSecondsAfterFinished": ttl} if ttl is not None else {})
    return yaml.safe_dump({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})


@pytest.fixture
def world() -> World:
    return World()


def test_a_job_that_its_ttl_removed_is_done(world: World) -> None:
    world.apps = {"web": App(manifests=[job(), config()])}
    assert world.apply().exit_code is ExitCode.OK
    world.cluster.remove("Job", "shop", "migrate")
    assert world.ops() == set()
    world.apps = {"web": App(manifests=[job(), config(a="2")])}
    world.forget_log()
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.written() == ["ConfigMap/settings"]
    assert world.ops() == set()
    world.apps = {"web": App(manifests=[job(image="tool:2"), config(a="2")])}
    assert world.ops() == {("create", "Job/migrate")}


def test_a_job_without_ttl_that_was_deleted_runs_again(world: World) -> None:
    world.apps = {"web": App(manifests=[job(ttl=None)])}
    world.apply()
    world.cluster.remove("Job", "shop", "migrate")
    assert world.ops() == {("create", "Job/migrate")}


def test_a_job_that_was_deleted_before_it_was_done_runs_again(world: World) -> None:
    world.apps = {"web": App(manifests=[job()])}
    world.apply(wait=False)
    world.cluster.remove("Job", "shop", "migrate")
    assert world.ops() == {("create", "Job/migrate")}


def test_a_job_that_is_done_after_the_apply_is_remembered_by_the_next(world: World) -> None:
    world.apps = {"web": App(manifests=[job()])}
    world.apply(wait=False)
    world.cluster.settle()
    assert world.apply().exit_code is ExitCode.OK
    world.cluster.remove("Job", "shop", "migrate")
    assert world.ops() == set()


def test_a_job_that_is_gone_before_the_wait_ends_is_done(world: World) -> None:
    class Removing(SettlingClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.cluster.body("Job", "shop", "migrate"):
                self.cluster.remove("Job", "shop", "migrate")

    world.clock = Removing(world.cluster)
    world.apps = {
        "base": App(manifests=[job(), deployment()]),
        "above": App(manifests=[config()], depends_on=("base",)),
    }
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()
