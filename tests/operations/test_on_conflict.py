"""``sync.onConflict`` on a cluster in memory: taken, left with who set it, or refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Change, Op
from fleetmgr.model.jsontypes import child
from fleetmgr.model.policy import OnConflict
from fleetmgr.operations.embedded.preview import preview
from tests.operations.worlds import App, World, config, outcomes

ANNOTATION = "fleetmgr.dev/on-conflict"


def wanted(*, policy: OnConflict = OnConflict.TAKE, note: str | None = None, **data: str) -> App:
    body = yaml.safe_load(config(**data))
    if note is not None:
        body["metadata"]["annotations"] = {ANNOTATION: note}
    return App(manifests=[yaml.safe_dump(body)], policy_more={"on_conflict": policy})


def contested(policy: OnConflict, *, note: str | None = None) -> World:
    """``a`` and ``b`` are ours; kubectl has set ``a`` to something else."""
    world = World()
    world.apps = {"web": wanted(policy=policy, note=note, a="1", b="1")}
    world.apply()
    edit(world, a="9")
    return world


def edit(world: World, *, manager: str = "kubectl-edit", **data: str) -> None:
    world.cluster.edit("ConfigMap", "shop", "settings", {"data": data}, manager=manager)


def data(world: World) -> Any:
    return child(world.cluster.body("ConfigMap", "shop", "settings") or {}, "data")


def only(world: World) -> Change:
    (change,) = world.plan().changes
    return change


def left(change: Change) -> list[tuple[str, object, object, str]]:
    return [(x.field.path, x.field.old, x.field.new, x.manager) for x in change.left]


def test_take_heals_it() -> None:
    world = contested(OnConflict.TAKE)
    assert only(world).op is Op.UPDATE
    world.apply()
    assert data(world) == {"a": "1", "b": "1"}


def test_keep_theirs_is_no_change_and_is_told() -> None:
    world = contested(OnConflict.KEEP_THEIRS)
    before = world.cluster.requests["dry-run"]
    change = only(world)
    assert (change.op, left(change)) == (Op.KEEP, [("/data/a", "9", "1", "kubectl-edit")])
    assert world.cluster.requests["dry-run"] == before
    world.apps = {"web": wanted(policy=OnConflict.KEEP_THEIRS, a="2", b="2")}
    change = only(world)
    assert [(d.path, d.new) for d in change.diff] == [("/data/b", "2")]
    assert left(change) == [("/data/a", "9", "2", "kubectl-edit")]
    assert world.apply().exit_code is ExitCode.OK
    assert data(world) == {"a": "9", "b": "2"}
    assert only(world).op is Op.KEEP


def test_what_they_let_go_of_is_ours_again() -> None:
    world = contested(OnConflict.KEEP_THEIRS)
    world.cluster.edit("ConfigMap", "shop", "settings", {"data": {"a": None}}, manager="kubectl-edit")
    assert only(world).op is Op.UPDATE
    world.apply()
    assert data(world) == {"a": "1", "b": "1"}


def test_fail_writes_nothing_of_that_object_and_names_who_and_what() -> None:
    world = contested(OnConflict.FAIL)
    edit(world, b="8", manager="other-tool")
    world.apps["web"] = wanted(policy=OnConflict.FAIL, a="1", b="1", c="3")
    change = only(world)
    assert change.op is Op.CONFLICT
    assert {d.path: (d.old, d.new) for d in change.diff} == {"/data/a": ("9", "1"), "/data/b": ("8", "1")}
    assert "kubectl-edit holds /data/a" in str(change.reason)
    assert "other-tool holds /data/b" in str(change.reason)
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert outcomes(report) == {"ConfigMap/settings": "failed"}
    assert data(world) == {"a": "9", "b": "8"}


def test_force_takes_what_would_fail() -> None:
    world = contested(OnConflict.FAIL)
    scene = replace(world.scene(), force=True)
    plan = preview(scene)
    assert [c.op for c in plan.changes] == [Op.UPDATE]
    assert world.perform(scene, plan).exit_code is ExitCode.OK
    assert data(world) == {"a": "1", "b": "1"}


@pytest.mark.parametrize(
    ("app", "note", "op"),
    [
        (OnConflict.TAKE, "keep-theirs", Op.KEEP),
        (OnConflict.TAKE, "fail", Op.CONFLICT),
        (OnConflict.FAIL, "take", Op.UPDATE),
    ],
)
def test_an_annotation_holds_for_one_object(app: OnConflict, note: str, op: Op) -> None:
    assert only(contested(app, note=note)).op is op


def test_a_field_that_they_take_between_plan_and_write_is_not_taken_back() -> None:
    world = contested(OnConflict.FAIL)
    edit(world, a="1")
    world.apps["web"] = wanted(policy=OnConflict.FAIL, a="1", b="2")
    scene = world.scene()
    plan = preview(scene)
    edit(world, b="7", manager="other-tool")
    report = world.perform(scene, plan)
    assert report.exit_code in (ExitCode.STALE, ExitCode.FAILED)
    assert data(world) == {"a": "1", "b": "7"}


def test_what_we_wrote_by_an_update_is_no_other_managers() -> None:
    """The Pulumi provider writes some kinds by PUT: a second entry of the very same manager."""
    world = World()
    world.apps = {"web": wanted(policy=OnConflict.FAIL, a="1", b="1")}
    world.apply()
    edit(world, a="5", manager="fleetmgr:shop")
    world.apps["web"] = wanted(policy=OnConflict.FAIL, a="6", b="1")
    assert only(world).op is Op.UPDATE
    assert world.apply().exit_code is ExitCode.OK
    assert data(world) == {"a": "6", "b": "1"}


def test_an_adoption_leaves_controllers_what_is_theirs_by_policy() -> None:
    world = World()
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    body = {"metadata": {"name": "settings", "namespace": "shop"}, "data": {"a": "5", "b": "5"}}
    world.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", **body}, manager="helm")
    edit(world, b="7", manager="some-controller")
    for policy, after in ((OnConflict.FAIL, None), (OnConflict.KEEP_THEIRS, {"a": "1", "b": "7"})):
        world.apps = {"web": replace_more(wanted(policy=policy, a="1", b="1"))}
        change = only(world)
        assert change.op is (Op.CONFLICT if after is None else Op.ADOPT)
        if after is not None:
            assert left(change) == [("/data/b", "7", "1", "some-controller")]
            assert world.apply().exit_code is ExitCode.OK
            assert data(world) == after
            assert only(world).op is Op.KEEP


def replace_more(app: App) -> App:
    app.more = {"adopt": True}
    return app


def test_values_of_secrets_stay_hidden() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": "c2VjcmV0"}}
    world = World()
    for policy in (OnConflict.KEEP_THEIRS, OnConflict.FAIL):
        world.apps = {"web": App(manifests=[yaml.safe_dump(secret)], policy_more={"on_conflict": policy})}
        if policy is OnConflict.KEEP_THEIRS:
            world.apply()
            world.cluster.edit("Secret", "shop", "s", {"data": {"p": "b3RoZXI="}})
        change = only(world)
        assert change.left or change.diff
        assert "c2VjcmV0" not in str((change.left, change.diff, change.reason))
        assert "b3RoZXI=" not in str((change.left, change.diff, change.reason))
