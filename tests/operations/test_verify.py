"""``--verify`` on a cluster in memory: who is asked, what is then certain, and what is marked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from fleetmgr.model.change import Change, Noise, Op
from fleetmgr.model.selection import Selection
from fleetmgr.model.verify import NOT_ASKED, Verify
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.saved import save
from fleetmgr.planner.plan_file import encode
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError, ObjectInvalid
from tests.operations.fleet_in_memory import codes
from tests.operations.test_saved_plan import Saving
from tests.operations.worlds import App, World, config, deployment

Fault = Callable[[str, ApiResource | None], ClusterError | None]


@pytest.fixture
def world() -> World:
    made = World()
    made.apps["web"] = App(manifests=[config("a"), config("b"), deployment()])
    made.apply()
    return made


def changes(world: World, verify: Verify) -> dict[str, Change]:
    plan = preview(replace(world.scene(), verify=verify))
    return {f"{c.ref.kind}/{c.ref.name}": c for c in plan.changes}


def dry_runs(world: World, verify: Verify) -> int:
    before = world.cluster.requests["dry-run"]
    changes(world, verify)
    return world.cluster.requests["dry-run"] - before


def refusing(error: ClusterError) -> Fault:
    return lambda verb, _: error if verb == "patch" else None


def test_only_what_may_differ_is_asked_about_unless_said_otherwise(world: World) -> None:
    assert [dry_runs(world, verify) for verify in Verify] == [0, 3, 0]
    world.apps["web"] = App(manifests=[config("a", a="2"), config("b"), deployment(image="web:2")])
    assert [dry_runs(world, verify) for verify in Verify] == [2, 3, 0]


@pytest.mark.parametrize("writes", range(7))
def test_what_others_write_while_we_ask_is_no_change_of_ours(writes: int) -> None:
    """A controller writes right before each of the first answers that we get about an object."""
    world = World()
    world.apps["web"] = App(manifests=[config("a")])
    world.apply()
    left = writes

    def write(verb: str, resource: ApiResource | None) -> None:
        nonlocal left
        if verb in ("get", "patch") and left and resource is not None and resource.kind == "ConfigMap":
            left -= 1
            world.cluster.edit("ConfigMap", "shop", "a", {"data": {"count": str(left)}}, manager="counter")

    world.cluster.fault = write
    found = changes(world, Verify.ALWAYS)["ConfigMap/a"]
    assert left == 0
    assert (found.op, found.noise, found.diff) == (Op.KEEP, None, ())


def test_who_asks_about_everything_sees_nothing_where_nothing_is(world: World) -> None:
    assert {c.op for c in changes(world, Verify.ALWAYS).values()} == {Op.KEEP}
    assert not any(c.unverified for c in changes(world, Verify.ALWAYS).values())


def test_who_asks_about_everything_sees_what_admission_would_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutating webhook that came after the apply: only the server knows."""
    real = world.cluster.apply

    def injected(resource: ApiResource, body: dict[str, object], **how: object) -> object:
        answer = real(resource, body, **how)  # pyright: ignore[reportArgumentType] - passed on as they came
        labels = {**answer.body["metadata"]["labels"], "injected": "yes"}
        return replace(
            answer, body={**answer.body, "metadata": {**answer.body["metadata"], "labels": labels}}
        )

    monkeypatch.setattr(world.cluster, "apply", injected)
    assert {c.op for c in changes(world, Verify.AUTO).values()} == {Op.KEEP}
    found = changes(world, Verify.ALWAYS)
    assert {(c.op, c.noise) for c in found.values()} == {(Op.KEEP, Noise.ADMISSION)}
    assert [d.path for d in found["ConfigMap/a"].diff] == ["/metadata/labels/injected"]


@pytest.mark.parametrize("error", [AccessDenied, ObjectInvalid])
def test_a_refusal_of_what_is_as_desired_stops_nobody_and_is_told(
    world: World, error: type[ClusterError]
) -> None:
    more = {"status": 422, "reason": "Invalid"} if error is ObjectInvalid else {}
    world.cluster.fault = refusing(error("frozen", cluster="dev-1", **more))  # pyright: ignore[reportArgumentType]
    kept = changes(world, Verify.ALWAYS)["ConfigMap/a"]
    assert (kept.op, kept.unverified, kept.reason) == (Op.KEEP, True, "frozen")


def test_who_asks_about_nothing_needs_no_right_and_is_told_what_differs(world: World) -> None:
    body = yaml.safe_load(deployment(image="web:2"))
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    world.apps["web"] = App(manifests=[config("a", a="2"), config("c"), yaml.safe_dump(body)])
    world.cluster.fault = refusing(AccessDenied("patch is forbidden", cluster="dev-1"))
    found = changes(world, Verify.NEVER)
    assert {name: (c.op, c.unverified) for name, c in found.items()} == {
        "ConfigMap/a": (Op.UPDATE, True),
        "ConfigMap/b": (Op.DELETE, False),
        "ConfigMap/c": (Op.CREATE, True),
        "Deployment/web": (Op.UPDATE, True),
    }
    assert [d.path for d in found["ConfigMap/a"].diff] == ["/data/a"]
    assert found["ConfigMap/a"].reason == NOT_ASKED


def test_who_asks_about_nothing_never_calls_a_doubt_no_change(world: World) -> None:
    """Everything desired is live, but somebody else has taken a field over: only the server knows what comes of it."""
    world.cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "9"}})
    world.cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "1"}})
    kept = changes(world, Verify.NEVER)["ConfigMap/a"]
    assert (kept.op, kept.unverified) == (Op.KEEP, True)


def test_a_new_namespace_is_not_rehearsed_either(world: World) -> None:
    world.apps["api"] = App(manifests=[config("x")], namespace="api")
    created = changes(world, Verify.NEVER)["ConfigMap/x"]
    assert (created.op, created.unverified) == (Op.CREATE, True)
    assert dry_runs(world, Verify.NEVER) == 0


def test_a_job_that_runs_again_is_not_rehearsed(world: World) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "again", "annotations": {"fleetmgr.dev/run": "apply"}},
        "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}
        },
    }
    world.apps["web"] = App(manifests=[yaml.safe_dump(job)])
    world.apply()
    found = changes(world, Verify.NEVER)["Job/again"]
    assert (found.op, found.unverified) == (Op.REPLACE, True)
    assert dry_runs(world, Verify.NEVER) == 0


def test_a_saved_plan_is_made_again_as_it_was_made(tmp_path: Path) -> None:
    fleet = Saving(tmp_path, {"dev": ["dev-1"]})
    fleet.apply()
    fleet.put(deployment(image="web:2"), config("settings", image="web:2"))
    walk = replace(fleet.walk(), verify=Verify.NEVER)
    content = encode(save(walk, fleet.plan(walk), Selection()), "text", packed=False)[0]
    cluster = fleet.clusters["dev-1"]
    before = cluster.requests["dry-run"]
    again, plan = fleet.check(content)
    assert again.verify is Verify.NEVER
    assert all(c.unverified for c in plan.clusters[0].changes)
    assert cluster.requests["dry-run"] == before
    assert codes(fleet.perform(content)) == {"dev-1": 0}
