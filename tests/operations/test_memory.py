"""What the cluster remembers of runs: results, failed ones too, drift first seen, since when all was well."""

from __future__ import annotations

import pytest

from fleetmgr.engine import record as engine_record
from fleetmgr.engine.record import Record
from fleetmgr.model.memory import RunResult
from tests.operations.worlds import App, SettlingClock, World, config, deployment


def remembered(world: World, app: str = "web") -> Record:
    record = world.scene().record(app)
    assert record is not None
    return record


def last(world: World, app: str = "web") -> RunResult:
    return remembered(world, app).results[0]


def test_an_apply_remembers_what_it_did() -> None:
    world = World()
    world.apps = {"web": App(manifests=[config("a"), config("b")])}
    world.apply()
    result = last(world)
    assert result == RunResult(
        at=result.at,
        outcome="done",
        plan_id="p" * 64,
        revision="r",
        fleet_revision="r",
        actor="tester",
        counts={"create": 3},  # the namespace too
    )
    assert result.at == remembered(world).applied_at
    world.apply()
    assert len(remembered(world).results) == 1, "a run that writes nothing leaves no trace"


def test_a_failed_apply_is_remembered_with_its_reason_and_changes_nothing_else() -> None:
    world = World()
    world.apps = {"web": App(manifests=[config("a")])}
    world.apply()
    good = remembered(world)
    world.apps = {"web": App(manifests=[config("a", a="2"), config("b")])}
    scene, plan = world.scene(), world.plan()
    world.cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "9"}})
    world.perform(scene, plan)
    bad = remembered(world)
    assert [r.outcome for r in bad.results] == ["failed", "done"]
    assert "ConfigMap shop/a was changed since the plan" in bad.results[0].reason
    assert bad.results[0].counts["failed"] == 1
    assert (bad.objects, bad.applied_at) == (good.objects, good.applied_at)


def test_a_run_that_was_stopped_is_remembered_as_interrupted() -> None:
    world = World()
    world.apps = {"web": App(manifests=[config("a"), deployment()])}

    def stop(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "ConfigMap/a"):
            world.stop.set()

    world.cluster.before = stop
    world.apply()
    assert last(world).outcome == "interrupted"
    assert remembered(world).objects == {}
    world.cluster.before = None
    world.stop.clear()
    world.apply()
    assert [r.outcome for r in remembered(world).results] == ["done", "interrupted"]
    assert not world.ops()


def test_healthy_since_is_the_time_of_the_apply_that_changed_something() -> None:
    world = World()
    world.apps = {"web": App(manifests=[deployment()])}
    world.apply()
    first = remembered(world).healthy_since
    assert first is not None
    world.clock.sleep(3600)
    world.apply()
    assert remembered(world).healthy_since == first, "nothing was changed"
    world.apps = {"web": App(manifests=[deployment(image="web:2")])}
    world.apply()
    second = remembered(world).healthy_since
    assert second is not None
    assert second > first


def test_what_did_not_become_healthy_is_healthy_since_never() -> None:
    world = World()
    world.clock = SettlingClock(world.cluster, works=False)
    world.apps = {"web": App(manifests=[deployment()])}
    world.apply()
    assert last(world).outcome == "unhealthy"
    assert last(world).reason
    assert remembered(world).healthy_since is None
    assert remembered(world).applied_at == ""


def test_what_nobody_waited_for_is_not_called_healthy() -> None:
    world = World()
    world.apps = {"web": App(manifests=[deployment()])}
    world.apply(wait=False)
    assert last(world).outcome == "done"
    assert remembered(world).healthy_since is None


def test_drift_that_is_not_healed_keeps_the_time_of_its_first_sight() -> None:
    world = World()
    world.apps = {"web": App(manifests=[config("a"), config("b")])}
    world.apply()
    world.cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "x"}})
    scene, plan = world.scene(), world.plan()
    world.cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "y"}})
    world.perform(scene, plan)  # refuses: changed again since
    seen = dict(remembered(world).drifted)
    assert list(seen) == ["ConfigMap/shop/a"]
    world.clock.sleep(60)
    scene, plan = world.scene(), world.plan()
    world.cluster.edit("ConfigMap", "shop", "a", {"data": {"a": "z"}})
    world.perform(scene, plan)
    assert remembered(world).drifted == seen
    world.apply()
    assert remembered(world).drifted == {}


def test_a_record_that_grows_and_shrinks_changes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_record, "PACK_FROM", 2_000)
    world = World()
    places: list[set[str]] = []
    for count in (3, 60, 3):
        world.apps = {"web": App(manifests=[config(f"c{n}") for n in range(count)])}
        world.apply()
        assert len(remembered(world).objects) == count
        body = world.cluster.body("ConfigMap", "fleetmgr-system", "shop.dev-1.web") or {}
        places.append({key for part in ("data", "binaryData") for key in body.get(part, {})})
    assert places == [{"record.json"}, {"record.json.gz"}, {"record.json"}]
