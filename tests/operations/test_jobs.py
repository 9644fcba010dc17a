"""A Job that its TTL removed has run: it is not run again, and not missed."""

from __future__ import annotations

import pytest
import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Op
from fleetmgr.ports.cluster_errors import Unreachable
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


def asking(run: str, image: str = "tool:1", ttl: int | None = None) -> str:
    body = yaml.safe_load(job(image=image, ttl=ttl))
    body["metadata"]["annotations"] = {"fleetmgr.dev/run": run}
    return yaml.safe_dump(body)


def test_a_job_may_run_at_each_revision(world: World) -> None:
    world.apps = {"web": App(manifests=[asking("revision"), config()]), "api": App(manifests=[config("api")])}
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()
    world.apps["api"] = App(manifests=[config("api", a="2")])
    assert world.ops() == {("update", "ConfigMap/api")}
    world.apps["web"] = App(manifests=[asking("revision"), config(a="2")])
    (change,) = [c for c in world.plan("web").changes if c.ref.kind == "Job"]
    assert change.op is Op.REPLACE
    assert change.reason is not None
    assert change.reason.startswith("runs at each revision")
    assert not change.drift
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()


def test_a_run_that_is_killed_starts_a_job_once_a_revision(world: World) -> None:
    world.apps = {"web": App(manifests=[asking("revision"), config()])}
    world.apply()
    world.apps = {"web": App(manifests=[asking("revision"), config(a="2"), deployment()])}

    def dies(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "Deployment/web"):
            raise Unreachable("connection reset", cluster="dev-1")

    world.cluster.before = dies
    world.apply()
    world.cluster.before = None
    uid = world.cluster.body("Job", "shop", "migrate")["metadata"]["uid"]  # type: ignore[index]
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.body("Job", "shop", "migrate")["metadata"]["uid"] == uid  # type: ignore[index]
    assert world.ops() == set()


def test_a_job_that_its_ttl_removed_runs_at_the_next_revision_only(world: World) -> None:
    world.apps = {"web": App(manifests=[asking("revision", ttl=5), config()])}
    world.apply()
    world.cluster.remove("Job", "shop", "migrate")
    assert world.ops() == set()
    world.apps = {"web": App(manifests=[asking("revision", ttl=5), config(a="2")])}
    assert world.ops() == {("create", "Job/migrate"), ("update", "ConfigMap/settings")}


def test_a_secret_alone_starts_it_too_and_no_digest_of_it_is_kept(world: World) -> None:
    def secret(value: str) -> str:
        data = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"a": value}}
        return yaml.safe_dump(data)

    world.apps = {"web": App(manifests=[asking("revision"), secret("one")])}
    world.apply()
    world.apps = {"web": App(manifests=[asking("revision"), secret("two")])}
    assert world.ops() == {("replace", "Job/migrate"), ("update", "Secret/key")}


def test_a_job_may_run_at_each_apply(world: World) -> None:
    world.apps = {"web": App(manifests=[asking("apply"), config()])}
    world.apply()
    first = world.cluster.body("Job", "shop", "migrate")
    for _ in range(2):
        assert world.ops() == {("replace", "Job/migrate")}
        assert world.apply().exit_code is ExitCode.OK
    second = world.cluster.body("Job", "shop", "migrate")
    assert first is not None
    assert second is not None
    assert first["metadata"]["uid"] != second["metadata"]["uid"]
    world.apps = {"web": App(manifests=[asking("apply", ttl=5), config()])}
    world.apply()
    world.cluster.remove("Job", "shop", "migrate")
    assert world.ops() == {("create", "Job/migrate")}


def test_a_word_that_means_nothing_is_denied(world: World) -> None:
    world.apps = {"web": App(manifests=[asking("always"), config()])}
    (change,) = [c for c in world.plan().changes if c.ref.kind == "Job"]
    assert change.op is Op.DENIED
    assert change.reason == "its annotation fleetmgr.dev/run is none of once, revision, apply"
