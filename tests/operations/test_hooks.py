"""Hooks run once for what Git asks for, at their time, whatever stops an apply in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from fleetmgr.errors import ExitCode, InvalidInput
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.ports.cluster_errors import Unreachable
from tests.operations.worlds import App, SettlingClock, World, config, deployment, outcomes

HOOK, POLICY = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"


def job(name: str, phases: str, image: str = "tool:1", **annotations: str) -> str:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}}
    metadata = {"name": name, "annotations": {HOOK: phases, **annotations}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
    return yaml.safe_dump(body)


@pytest.fixture
def world() -> World:
    return World()


def app(*hooks: str, value: str = "1", **more: object) -> dict[str, App]:
    del more
    return {"web": App(manifests=[*hooks, config(a=value), deployment()])}


def test_hooks_run_at_their_time(world: World) -> None:
    world.apps = app(job("check", "PostSync"), job("migrate", "PreSync"), job("during", "Sync"))
    assert world.ops() >= {("hook", "Job/check"), ("hook", "Job/migrate"), ("hook", "Job/during")}
    assert world.apply().exit_code is ExitCode.OK
    written = world.cluster.written()
    assert written[:2] == ["Namespace/shop", "Job/migrate"]
    assert written[-2:] == ["Job/during", "Job/check"]
    assert world.ops() == set()


def test_they_are_no_members_and_run_again_for_the_next_change(world: World) -> None:
    world.apps = app(job("migrate", "PreSync"))
    world.apply()
    world.cluster.remove("Job", "shop", "migrate")
    assert world.ops() == set()
    world.cluster.edit("ConfigMap", "shop", "settings", {"data": {"a": "by hand"}})
    assert world.ops() == {("update", "ConfigMap/settings")}  # healing is no change
    world.apply()
    world.apps = app(job("migrate", "PreSync"), value="2")
    assert world.ops() == {("hook", "Job/migrate"), ("update", "ConfigMap/settings")}
    assert world.apply().exit_code is ExitCode.OK
    world.apps = app(job("migrate", "PreSync", image="tool:2"), value="2")
    assert world.ops() == set()  # only the hook changed: it waits for something to run for


def test_a_new_run_replaces_the_object_of_the_last_one(world: World) -> None:
    world.apps = app(job("migrate", "PreSync"))
    world.apply()
    before = uid(world, "migrate")
    world.apps = app(job("migrate", "PreSync", image="tool:2"), value="2")
    assert world.apply().exit_code is ExitCode.OK
    assert uid(world, "migrate") != before


def uid(world: World, name: str) -> str:
    body = world.cluster.body("Job", "shop", name)
    assert body is not None
    return str(body["metadata"]["uid"])


def test_a_presync_hook_that_fails_stops_its_app_before_anything_is_written(world: World) -> None:
    world.clock = FailingClock(world, "migrate")
    world.apps = app(job("migrate", "PreSync"), job("alarm", "SyncFail"), job("check", "PostSync"))
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert world.cluster.written() == ["Namespace/shop", "Job/migrate", "Job/alarm"]
    assert outcomes(report) == {
        "Namespace/shop": "done",
        "Job/migrate": "failed",
        "ConfigMap/settings": "skipped",
        "Deployment/web": "skipped",
        "Job/check": "skipped",
        "Job/alarm": "done",
    }
    world.clock = SettlingClock(world.cluster)
    world.forget_log()
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.written() == ["Job/migrate", "ConfigMap/settings", "Deployment/web", "Job/check"]


class FailingClock(SettlingClock):
    """Controllers work, and one Job fails."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world.cluster)
        self.name = name

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.cluster.body("Job", "shop", self.name) is not None:
            failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
            self.cluster.edit("Job", "shop", self.name, {"status": {"conditions": [failed]}}, manager="kcm")


def test_policies(world: World) -> None:
    world.apps = app(job("gone", "PreSync", **{POLICY: "HookSucceeded"}), job("stays", "PreSync"))
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.body("Job", "shop", "gone") is None
    assert world.cluster.body("Job", "shop", "stays") is not None
    assert world.ops() == set()


def test_a_failed_postsync_hook_runs_again_and_only_it(world: World) -> None:
    world.clock = FailingClock(world, "check")
    world.apps = app(job("migrate", "PreSync"), job("check", "PostSync"))
    assert world.apply().exit_code is ExitCode.FAILED
    world.clock = SettlingClock(world.cluster)
    assert world.ops() == {("hook", "Job/check")}
    world.forget_log()
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.written() == ["Job/check"]
    assert world.ops() == set()


def test_killed_at_every_write_nothing_runs_twice(world: World) -> None:
    """Every request that changes something is the last one once; the next apply ends what was begun."""
    stops = 0
    for stop in range(1, 40):
        world = World()
        world.apps = app(
            job("migrate", "PreSync"),
            job("during", "Sync", **{POLICY: "HookSucceeded"}),
            job("check", "PostSync", **{POLICY: "HookSucceeded"}),
        )
        world.cluster.before = dies_after(stop)
        first = world.apply()
        stops += first.failure is not None
        world.cluster.before = None
        second = world.apply()
        assert second.exit_code is ExitCode.OK, stop
        made = [name for verb, name in world.cluster.log if verb == "apply"]
        assert [made.count(f"Job/{name}") for name in ("migrate", "during", "check")] == [1, 1, 1], stop
        assert world.cluster.body("Job", "shop", "check") is None, stop
        assert world.ops() == set(), stop
    assert stops > 10


def dies_after(writes: int) -> Callable[[str, str], None]:
    """The cluster cannot be reached any more once so many writes were sent."""
    left = [writes]

    def before(_verb: str, _name: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Unreachable("gone", cluster="dev-1")

    return before


def test_helm_hooks(world: World) -> None:
    def helm(name: str, hook: str, weight: int = 0) -> str:
        body: JsonObject = yaml.safe_load(job(name, ""))
        body["metadata"]["annotations"] = {"helm.sh/hook": hook, "helm.sh/hook-weight": str(weight)}
        return yaml.safe_dump(body)

    world.apps = app(
        helm("second", "pre-install,pre-upgrade", 5),
        helm("first", "pre-upgrade", -5),
        helm("after", "post-install"),
        helm("never", "test"),
        job("skipped", "Skip"),
    )
    assert world.apply().exit_code is ExitCode.OK
    jobs = [name for name in world.cluster.written() if name.startswith("Job/")]
    assert jobs == ["Job/first", "Job/second", "Job/after"]


def test_generate_name_gives_a_hook_a_fixed_one(world: World) -> None:
    body: JsonObject = yaml.safe_load(job("x", "PreSync"))
    body["metadata"]["generateName"] = "migrate-"
    del body["metadata"]["name"]
    world.apps = app(yaml.safe_dump(body))
    assert ("hook", "Job/migrate-presync") in world.ops()


def test_an_object_of_somebody_else_in_a_hooks_place(world: World) -> None:
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    theirs: JsonObject = yaml.safe_load(job("migrate", "PreSync"))
    theirs["metadata"]["namespace"] = "shop"
    world.cluster.create(theirs, manager="argocd-controller")
    world.apps = app(job("migrate", "PreSync"))
    assert ("conflict", "Job/migrate") in world.ops()
    assert world.apply().exit_code is ExitCode.FAILED
    assert world.cluster.written() == []
    world.apps["web"] = App(manifests=world.apps["web"].manifests, more={"adopt": True})
    assert world.apply().exit_code is ExitCode.OK


def test_hooks_of_an_app_that_leaves(world: World) -> None:
    world.apps = app(job("goodbye", "PreDelete"), job("cleanup", "PostDelete"))
    assert world.apply().exit_code is ExitCode.OK
    world.apps = {}
    assert world.ops() == {
        ("hook", "Job/goodbye"),
        ("hook", "Job/cleanup"),
        ("delete", "ConfigMap/settings"),
        ("delete", "Deployment/web"),
    }
    world.forget_log()
    assert world.apply().exit_code is ExitCode.OK
    members = [(verb, name) for verb, name in world.cluster.log if not name.startswith("ConfigMap/shop.")]
    assert members == [
        ("apply", "Job/goodbye"),
        ("delete", "Job/goodbye"),
        ("delete", "Deployment/web"),
        ("delete", "ConfigMap/settings"),
        ("apply", "Job/cleanup"),
        ("delete", "Job/cleanup"),
    ]
    assert world.scene().parents == {}


def test_a_predelete_hook_that_fails_keeps_the_app(world: World) -> None:
    world.apps = app(job("goodbye", "PreDelete"))
    world.apply()
    world.apps = {}
    world.clock = FailingClock(world, "goodbye")
    assert world.apply().exit_code is ExitCode.FAILED
    assert world.cluster.body("Deployment", "shop", "web") is not None
    world.clock = SettlingClock(world.cluster)
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.body("Deployment", "shop", "web") is None


def test_a_secret_is_not_kept_for_a_removal(world: World) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "annotations": {HOOK: "PreDelete"}},
    }
    world.apps = app(yaml.safe_dump(secret))
    with pytest.raises(InvalidInput, match="PreDelete or PostDelete"):
        world.stack()
