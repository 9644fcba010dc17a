"""One run per cluster entry: who holds the lease writes, who lost it stops, who waits is told of whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from fleetmgr.engine.lease import read_lease
from fleetmgr.errors import ExitCode
from fleetmgr.model.change import ClusterPlan
from fleetmgr.model.event import LockAwaited
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.lease import DOUBTFUL, DURATION, Holder, Lease
from fleetmgr.model.report import ClusterReport
from fleetmgr.operations.embedded.lease import (
    LeaseLost,
    Locked,
    LockRequest,
    Tenure,
    acquire,
    read_entry,
    release_by_hand,
)
from fleetmgr.operations.embedded.preview import preview
from fleetmgr.operations.embedded.scene import Scene
from fleetmgr.operations.embedded.up import UpOptions, up
from fleetmgr.ports.cluster import ApiResource, Applied
from fleetmgr.ports.cluster_errors import ClusterError, Unreachable
from tests.fakes.clock import FakeClock
from tests.operations.worlds import App, World, config, ops_of, outcomes


class Graveyard:
    """Implements ports.processes.Processes: the named ones are dead."""

    def __init__(self, *dead: str) -> None:
        self.buried = set(dead)

    def this(self) -> str:
        return "machine/1/1"

    def dead(self, identity: str) -> bool:
        return identity in self.buried


def request(
    actor: str = "ann", *, process: str = "", timeout: float = 0.0, dead: tuple[str, ...] = ()
) -> LockRequest:
    holder = Holder(actor=actor, host="host", pid=7, command="fleet apply", process=process or f"m/{actor}/1")
    return LockRequest(holder=holder, processes=Graveyard(*dead), timeout=timeout)


@pytest.fixture
def world() -> World:
    made = World()
    made.apps["web"] = App(manifests=[config("a"), config("b")])
    return made


def perform(
    world: World, plan: tuple[Scene, ClusterPlan] | None = None, *, lock: LockRequest | None = None
) -> ClusterReport:
    scene, changes = plan or planned(world)
    options = UpOptions(
        plan_id="p" * 64, revision="r", actor="tester", wait=True, timeout=None, lock=lock or request()
    )
    return up(scene, changes, options, clock=world.clock, stop=world.stop, sink=world.events.append)


def planned(world: World) -> tuple[Scene, ClusterPlan]:
    scene = world.scene()
    return scene, preview(scene)


def lease_of(world: World) -> Lease:
    found = read_entry(world.cluster, world.entry)
    assert found is not None
    return found


def hold(world: World, actor: str = "bob", *, clock: FakeClock | None = None, dead: str = "") -> Tenure:
    return acquire(
        world.cluster,
        world.entry,
        request(actor, dead=(dead,)),
        plan_id="q" * 64,
        floor=0,
        clock=clock or world.clock,
        stop=world.stop,
        sink=world.events.append,
    )


def test_it_is_taken_before_the_first_write_and_given_back(world: World) -> None:
    report = perform(world)
    assert report.exit_code is ExitCode.OK
    writes = [name for verb, name in world.cluster.log if verb == "apply"]
    lease = writes.index("Lease/shop.dev-1")
    assert writes[:lease] == ["Namespace/fleetmgr-system"]  # which is where it lives
    assert writes[-1] == "Lease/shop.dev-1"
    assert lease_of(world).holder is None
    assert report.warnings == ()


def test_nothing_to_write_takes_no_lease(world: World) -> None:
    perform(world)
    world.forget_log()
    perform(world)
    assert world.cluster.log == []


def test_a_second_run_ends_with_8_and_names_the_first(world: World) -> None:
    hold(world, "bob")
    before = world.scene().live
    report = perform(world)
    assert report.exit_code is ExitCode.LOCKED
    assert report.failure is not None
    problem = report.failure.problem
    assert problem.code == "FLT-8000"
    for part in ("dev-1", "bob", "pid 7 on host", "fleet apply", "plan qqqq"):
        assert part in problem.message
    assert "fleet unlock dev-1" in str(problem.hint)
    assert world.scene().live == before


def test_a_second_run_waits_as_long_as_it_is_told(world: World) -> None:
    first = hold(world, "bob")
    clock = world.clock

    class Ending(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.monotonic() > 3:
                first.release()

    world.clock = Ending()
    report = perform(world, lock=request(timeout=10))
    assert report.exit_code is ExitCode.OK
    assert [e.holder for e in world.events if isinstance(e, LockAwaited)]
    world.clock = clock


def test_a_holder_that_is_silent_for_its_duration_is_passed_over(world: World) -> None:
    hold(world, "bob")
    report = perform(world, lock=request(timeout=DURATION + 5))
    assert report.exit_code is ExitCode.OK
    assert world.clock.monotonic() >= DURATION


def test_a_lease_that_was_left_behind_long_ago_is_watched_without_being_asked_to(world: World) -> None:
    hold(world, "bob")
    world.clock.sleep(3600)
    report = perform(world)
    assert report.exit_code is ExitCode.OK


@pytest.mark.parametrize("skew", [-600.0, 600.0])
def test_a_holder_whose_clock_is_wrong_is_not_passed_over_while_it_renews(world: World, skew: float) -> None:
    class Skewed(FakeClock):
        def now(self) -> datetime:
            return super().now() + timedelta(seconds=skew)

    theirs = Skewed()
    tenure = hold(world, "bob", clock=theirs)

    class Renewing(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            theirs.sleep(seconds)
            tenure.renew()

    world.clock = Renewing()
    report = perform(world, lock=request(timeout=120))
    assert report.exit_code is ExitCode.LOCKED
    tenure.check()


def test_a_dead_process_of_this_machine_is_passed_over_at_once(world: World) -> None:
    hold(world, "bob")
    report = perform(world, lock=request(dead=("m/bob/1",)))
    assert report.exit_code is ExitCode.OK
    assert world.clock.monotonic() < 2


def test_each_holder_has_a_higher_token_also_after_the_lease_was_deleted(world: World) -> None:
    perform(world)
    first = lease_of(world).transitions
    world.apps["web"] = App(manifests=[config("a", a="2")])
    perform(world)
    second = lease_of(world).transitions
    assert second > first
    world.cluster.remove("Lease", "fleetmgr-system", "shop.dev-1")
    world.apps["web"] = App(manifests=[config("a", a="3")])
    perform(world)
    assert lease_of(world).transitions > second


def test_a_run_that_was_unlocked_stops_before_the_next_write(world: World) -> None:
    def unlock_in_the_middle(verb: str, name: str) -> None:
        if name == "ConfigMap/a" and verb == "apply":
            world.cluster.before = None
            lease = lease_of(world)
            release_by_hand(world.cluster, world.entry, lease, by="carl", reason="stuck", clock=world.clock)
            world.clock.sleep(DOUBTFUL + 1)  # by then the renewals have noticed

    world.apps["api"] = App(manifests=[config("z")], depends_on=("web",))
    world.cluster.before = unlock_in_the_middle
    report = perform(world)
    assert report.exit_code is ExitCode.LOCKED
    assert report.failure is not None
    assert report.failure.problem.code == LeaseLost.code
    assert "carl" in report.failure.problem.message
    assert world.cluster.body("ConfigMap", "shop", "z") is None
    assert lease_of(world).unlocked["unlock-reason"] == "stuck"
    assert perform(world).exit_code is ExitCode.OK
    assert lease_of(world).unlocked["unlock-reason"] == "stuck"


def test_a_stale_run_cannot_write_its_record_over_that_of_its_successor(world: World) -> None:
    """It was passed over, does not know it yet, and its clock stood still."""
    perform(world)
    world.apps["web"] = App(manifests=[config("a", a="2")])
    old = planned(world)

    def successor(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "ConfigMap/a"):
            world.cluster.before = None
            lease = lease_of(world)
            release_by_hand(world.cluster, world.entry, lease, by="carl", reason="x", clock=world.clock)
            assert perform(world, lock=request("bob")).exit_code is ExitCode.OK

    world.cluster.before = successor
    report = perform(world, old, lock=request("ann"))
    assert report.exit_code is ExitCode.LOCKED
    assert report.failure is not None
    assert "later run has written the record" in report.failure.problem.message
    body = world.cluster.body("ConfigMap", "fleetmgr-system", "shop.dev-1.web")
    assert body is not None
    assert body["metadata"]["annotations"]["fleetmgr.dev/fence"] == str(lease_of(world).transitions)


def test_a_record_that_a_person_touched_is_written_all_the_same(world: World) -> None:
    perform(world)
    world.apps["web"] = App(manifests=[config("a", a="2")])
    plan = planned(world)
    labels = {"metadata": {"labels": {"team": "x"}}}
    world.cluster.edit("ConfigMap", "fleetmgr-system", "shop.dev-1.web", labels)
    assert perform(world, plan).exit_code is ExitCode.OK


def test_a_lease_that_a_person_annotated_is_still_ours(world: World) -> None:
    tenure = hold(world)
    note = {"metadata": {"annotations": {"note": "hello"}}}
    world.cluster.edit("Lease", "fleetmgr-system", "shop.dev-1", note)
    world.clock.sleep(DOUBTFUL + 1)
    tenure.check()


@pytest.mark.parametrize("verb", ["get", "patch"])
def test_who_may_not_use_leases_goes_on_and_is_told(world: World, verb: str) -> None:
    world.cluster.denied = {(verb, "leases")}
    report = perform(world)
    assert report.exit_code is ExitCode.OK
    (warning,) = report.warnings
    assert "no lease was taken" in warning
    assert "leases.coordination.k8s.io" in warning


def test_who_may_only_read_leases_respects_them(world: World) -> None:
    hold(world, "bob")
    world.cluster.denied = {("patch", "leases")}
    assert perform(world).exit_code is ExitCode.LOCKED


def test_a_renewal_that_fails_is_no_loss_as_long_as_nobody_else_came(world: World) -> None:
    tenure = hold(world)

    def down(verb: str, resource: ApiResource | None) -> ClusterError:
        del verb, resource
        return Unreachable("down", cluster="dev-1")

    world.clock.sleep(DOUBTFUL + 1)
    world.cluster.fault = down
    with pytest.raises(Unreachable):
        tenure.check()
    world.cluster.fault = None
    world.clock.sleep(3600)
    tenure.check()


def test_who_was_passed_over_writes_nothing(world: World) -> None:
    old = hold(world, "bob")
    world.clock.sleep(DOUBTFUL + 1)
    hold(world, "ann", dead="m/bob/1")
    with pytest.raises(LeaseLost, match="ann"):
        old.check()
    with pytest.raises(LeaseLost):
        old.check()
    old.release()
    assert lease_of(world).identity.startswith("ann")


def test_an_answer_that_got_lost_is_no_other_holder(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write arrived, its answer did not, the transport sent it again: 409, by our own hand."""
    real = world.cluster.apply

    def twice(resource: ApiResource, body: JsonObject, **how: Any) -> Applied:
        if resource.kind == "Lease" and "spec" in body:
            monkeypatch.undo()
            real(resource, body, **how)
        return real(resource, body, **how)

    monkeypatch.setattr(world.cluster, "apply", twice)
    tenure = hold(world)
    assert tenure.token == lease_of(world).transitions


def test_two_at_once_one_gets_it(world: World) -> None:
    hold(world, "bob")
    with pytest.raises(Locked):
        hold(world, "ann")
    lease = read_lease(world.cluster.body("Lease", "fleetmgr-system", "shop.dev-1") or {})
    assert lease.holder is not None
    assert lease.holder.actor == "bob"
    assert replace(lease, holder=None).transitions == 1


def objects_written(world: World) -> list[str]:
    return [name for name in world.cluster.written() if name != "Lease/shop.dev-1"]


def data_of(world: World, name: str) -> object:
    return (world.cluster.body("ConfigMap", "shop", name) or {}).get("data")


def test_what_another_run_has_done_since_the_plan_is_not_done_twice(world: World) -> None:
    mine = planned(world)
    assert perform(world, lock=request("bob")).exit_code is ExitCode.OK
    world.forget_log()
    report = perform(world, mine)
    assert report.exit_code is ExitCode.OK
    assert report.results == ()
    assert objects_written(world) == []
    assert report.warnings == (
        "another run has applied to dev-1 since this plan was made: 3 of 3 changes were no longer to do",
    )


def test_of_a_plan_that_another_run_has_done_in_part_the_rest_is_done(world: World) -> None:
    world.apps["api"] = App(manifests=[config("c")])
    mine = planned(world)
    scene = world.scene("web")
    assert perform(world, (scene, preview(scene)), lock=request("bob")).exit_code is ExitCode.OK
    world.forget_log()
    report = perform(world, mine)
    assert report.exit_code is ExitCode.OK
    assert objects_written(world) == ["ConfigMap/c"]
    assert outcomes(report) == {"ConfigMap/c": "done"}
    record = world.scene().record("web")
    assert record is not None
    assert len(record.results) == 1, "the other run's, and not written over"


def test_a_plan_that_keeps_what_another_run_has_changed_since_writes_nothing(world: World) -> None:
    """Else the older revision would stay, under a run that says it has applied the newer one."""
    perform(world)
    reverted = [config("a"), config("b", a="3")]
    world.apps["web"] = App(manifests=reverted)
    mine = planned(world)
    assert ops_of(mine[1]) == {("update", "ConfigMap/b")}
    world.apps["web"] = App(manifests=[config("a", a="2"), config("b")])
    assert perform(world, lock=request("bob")).exit_code is ExitCode.OK
    world.forget_log()
    report = perform(world, mine)
    assert report.exit_code is ExitCode.STALE
    assert objects_written(world) == []
    assert report.failure is not None
    problem = report.failure.problem
    assert problem.code == "FLT-2053"
    assert problem.message == (
        "another run has applied to dev-1 since this plan was made, and what is to do now is not what it showed: "
        "update ConfigMap shop/a"
    )
    world.apps["web"] = App(manifests=reverted)
    assert perform(world).exit_code is ExitCode.OK
    assert (data_of(world, "a"), data_of(world, "b")) == ({"a": "1"}, {"a": "3"})


def test_an_object_that_another_run_has_changed_otherwise_is_not_what_was_shown(world: World) -> None:
    perform(world)
    world.apps["web"] = App(manifests=[config("a", a="3"), config("b")])
    mine = planned(world)
    world.apps["web"] = App(manifests=[config("a", a="2"), config("b")])
    perform(world, lock=request("bob"))
    report = perform(world, mine)
    assert report.exit_code is ExitCode.STALE
    assert data_of(world, "a") == {"a": "2"}


def test_a_run_that_only_goes_on_with_a_killed_one_is_as_shown(world: World) -> None:
    """It has widened the record and written a part; what is left was shown."""
    mine = planned(world)
    theirs = world.scene()

    def die(verb: str, name: str) -> None:
        if (verb, name) == ("apply", "ConfigMap/b"):
            raise KeyboardInterrupt

    world.cluster.before = die
    with pytest.raises(KeyboardInterrupt):
        perform(world, (theirs, preview(theirs)), lock=request("bob", process="m/bob/9"))
    world.cluster.before = None
    report = perform(world, mine, lock=request(dead=("m/bob/9",)))
    assert report.exit_code is ExitCode.OK
    assert data_of(world, "b") == {"a": "1"}
    assert world.ops() == set()


@pytest.mark.parametrize("alive", [True, False])
def test_a_plan_without_changes_is_no_result_while_another_run_is_at_work(
    world: World, *, alive: bool
) -> None:
    """It may be about to change what was found to be as Git wants it."""
    perform(world)
    mine = planned(world)
    assert ops_of(mine[1]) == set()
    acquire(
        world.cluster,
        world.entry,
        request("bob", process="m/bob/9"),
        plan_id="q" * 64,
        floor=0,
        clock=world.clock,
        stop=world.stop,
        sink=world.events.append,
    )
    report = perform(world, mine, lock=request(dead=() if alive else ("m/bob/9",)))
    if alive:
        assert report.exit_code is ExitCode.LOCKED
        world.clock.sleep(DURATION * 2)
        report = perform(world, mine)
    assert report.exit_code is ExitCode.OK
