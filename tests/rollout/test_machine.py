"""What the machine does, story by story."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetmgr.model.rollout import OnFailure, RolloutPlan, Step, Window, WindowKind
from fleetmgr.rollout.decisions import Decision, Done, Rollback, Start, Stop, StopVerdict, Wait, WaitFor
from fleetmgr.rollout.events import (
    Abort,
    Event,
    Finished,
    HealthSeen,
    OverrideWindows,
    Pause,
    Result,
    Resume,
    RollbackFinished,
    RollbackStarted,
    Started,
    Supersede,
)
from fleetmgr.rollout.machine import begin, decide, observe, reclocked
from fleetmgr.rollout.state import Phase, State, from_json, to_json
from tests.rollout.rollouts import at, steps


@dataclass
class Run:
    """A rollout with its clock."""

    plan: RolloutPlan
    parallel: int | None = None
    time: float = 0.0
    state: State = field(init=False)

    def __post_init__(self) -> None:
        self.state = begin(self.plan, at(), parallel=self.parallel)

    def say(self, *events: Event) -> Run:
        for event in events:
            self.state = observe(self.state, event, at(self.time))
        return self

    def wait(self, seconds: float) -> Run:
        self.time += seconds
        return self

    def start(self) -> tuple[str, ...]:
        """Begin what may be begun."""
        decision = self.next()
        assert isinstance(decision, Start), decision
        self.say(*(Started(cluster=name) for name in decision.clusters))
        return decision.clusters

    def end(self, *names: str, result: Result = Result.OK) -> Run:
        return self.say(*(Finished(cluster=name, result=result) for name in names))

    def next(self) -> Decision:
        return decide(self.state, at(self.time))

    def stop(self) -> StopVerdict:
        decision = self.next()
        assert isinstance(decision, Stop), decision
        return decision.verdict

    def waits_for(self) -> WaitFor:
        decision = self.next()
        assert isinstance(decision, Wait), decision
        return decision.reason


CANARY = Step(environment="prod", wave="canary", clusters=("a",), declared=True)
REST = Step(environment="prod", wave="rest", clusters=("b", "c"), declared=True)


def soaking(step: Step, seconds: float) -> Step:
    return Step(environment="prod", wave=step.wave, clusters=step.clusters, declared=True, soak=seconds)


def test_an_empty_rollout_is_done():
    assert Run(steps()).next() == Done()
    assert Run(steps(Step(environment="dev", wave="", unchanged=("a",)))).next() == Done()


def test_one_wave_after_the_other():
    run = Run(steps(CANARY, REST))
    assert run.start() == ("a",)
    assert run.waits_for() is WaitFor.WORK
    run.end("a")
    assert run.start() == ("b", "c")
    run.end("b")
    assert run.waits_for() is WaitFor.WORK
    run.end("c")
    assert run.next() == Done()


def test_a_soak_holds_the_next_wave_and_names_whom_to_watch():
    run = Run(steps(soaking(CANARY, 600), REST))
    run.start()
    run.wait(5).end("a")
    decision = run.next()
    assert decision == Wait(
        reason=WaitFor.SOAK, why="prod / canary must stay healthy for 10m", until=1605.0, watch=("a",)
    )
    assert run.wait(599).waits_for() is WaitFor.SOAK
    assert run.wait(1).start() == ("b", "c")


def test_a_soak_is_kept_after_the_last_wave_and_not_where_nothing_was_begun():
    run = Run(steps(Step(environment="prod", wave="x", unchanged=("z",), soak=60), soaking(CANARY, 60)))
    run.start()
    assert run.end("a").waits_for() is WaitFor.SOAK
    assert run.wait(60).next() == Done()


def test_turning_ill_during_the_soak_is_a_failure():
    run = Run(steps(soaking(CANARY, 600), REST))
    run.start()
    run.end("a").wait(300).say(HealthSeen(cluster="a", healthy=False, message="2 of 3 ready"))
    assert run.stop() is StopVerdict.FAILED
    assert run.wait(900).stop() is StopVerdict.FAILED
    assert run.state.members["a"].message == "2 of 3 ready"


def test_turning_ill_after_the_soak_only_costs_availability():
    run = Run(steps(soaking(CANARY, 600), REST))
    run.start()
    run.end("a").wait(601).say(HealthSeen(cluster="a", healthy=False))
    assert run.start() == ("b", "c")


def test_without_a_limit_the_wave_is_finished_and_then_any_failure_stops():
    run = Run(steps(Step(environment="dev", wave="", clusters=("d", "e")), REST), parallel=1)
    run.start()
    run.end("d", result=Result.FAILED)
    assert run.start() == ("e",)
    decision = run.end("e").next()
    assert decision == Stop(verdict=StopVerdict.FAILED, why="1 cluster failed in dev (d)", left=("b", "c"))


def test_without_a_rollout_unreachable_clusters_stop_nothing():
    dev = Step(environment="dev", wave="", clusters=("d", "e"), unreachable=("dead",))
    run = Run(steps(dev, REST))
    run.start()
    assert run.end("d").end("e", result=Result.UNREACHABLE).start() == ("b", "c")


def test_no_failure_tolerated_stops_at_the_first_and_lets_work_end():
    wave = Step(environment="prod", wave="all", clusters=("a", "b", "c"), max_failures=0, max_parallel=2)
    run = Run(steps(wave))
    assert run.start() == ("a", "b")
    run.end("a", result=Result.UNHEALTHY)
    assert run.waits_for() is WaitFor.WORK
    run.end("b")
    decision = run.next()
    assert decision == Stop(
        verdict=StopVerdict.FAILED, why="1 cluster failed in prod (a), 0 are tolerated", left=("c",)
    )


def test_tolerated_failures_add_up_over_the_waves_of_an_environment():
    first = Step(environment="prod", wave="1", clusters=("a",), max_failures=1)
    second = Step(environment="prod", wave="2", clusters=("b", "c"), max_failures=1)
    other = Step(environment="eu", wave="", clusters=("d",), max_failures=0)
    run = Run(steps(first, second, other))
    run.start()
    run.end("a", result=Result.FAILED)
    run.start()
    run.end("b")
    assert run.end("c", result=Result.TIMED_OUT).stop() is StopVerdict.FAILED


def test_continue_goes_on_whatever_fails():
    wave = Step(environment="prod", wave="1", clusters=("d", "e"), on_failure=OnFailure.CONTINUE)
    run = Run(steps(wave, REST))
    run.start()
    run.end("d", "e", result=Result.FAILED)
    run.start()
    assert run.end("b", "c").next() == Done()


def test_an_unavailable_budget_counts_what_is_in_work_and_what_was_ill_before():
    wave = Step(environment="prod", wave="1", clusters=("a", "b", "c"), unchanged=("z",), max_unavailable=2)
    run = Run(steps(wave))
    run.say(HealthSeen(cluster="z", healthy=False))
    assert run.start() == ("a",)
    assert run.waits_for() is WaitFor.WORK
    run.say(HealthSeen(cluster="z", healthy=True))
    assert run.start() == ("b",)


def test_a_budget_of_zero_is_one_at_a_time_and_no_deadlock():
    wave = Step(environment="prod", wave="1", clusters=("a", "b"), max_unavailable=0)
    run = Run(steps(wave))
    assert run.start() == ("a",)
    assert run.end("a").start() == ("b",)
    assert run.end("b").next() == Done()


def test_what_is_ill_is_begun_at_no_cost_and_mends_the_budget():
    wave = Step(environment="prod", wave="1", clusters=("a", "b"), max_unavailable=1)
    run = Run(steps(wave)).say(HealthSeen(cluster="b", healthy=False))
    assert run.start() == ("b",)
    assert run.end("b").start() == ("a",)


def test_a_used_up_budget_stops_or_waits_for_health_until_the_deadline():
    wave = Step(environment="prod", wave="1", clusters=("a",), unreachable=("x",), max_unavailable=1)
    assert Run(steps(wave)).stop() is StopVerdict.UNAVAILABLE
    patient = Step(
        environment="prod", wave="1", clusters=("a",), unreachable=("x",), max_unavailable=1, deadline=60
    )
    run = Run(steps(patient))
    decision = run.next()
    assert isinstance(decision, Wait)
    assert (decision.reason, decision.until, decision.watch) == (WaitFor.HEALTH, 1060.0, ("x",))
    assert run.wait(60).stop() is StopVerdict.UNAVAILABLE
    assert Run(steps(patient)).say(HealthSeen(cluster="x", healthy=True)).start() == ("a",)


def test_a_wave_that_nobody_could_reach_proves_nothing():
    canary = Step(environment="prod", wave="canary", unreachable=("a",), declared=True)
    assert Run(steps(canary, REST)).stop() is StopVerdict.UNPROVEN
    assert Run(steps(REST, canary)).start() == ("b", "c")


def test_a_cluster_that_could_not_be_planned_is_a_failure_when_its_wave_comes():
    run = Run(steps(CANARY, Step(environment="prod", wave="rest", clusters=("b",), failed=("x",))))
    run.start()
    run.end("a").start()
    assert run.end("b").stop() is StopVerdict.FAILED


def test_a_deadline_ends_the_wave():
    wave = Step(environment="prod", wave="1", clusters=("a", "b"), max_parallel=1, deadline=60)
    run = Run(steps(wave))
    run.start()
    assert run.wait(60).waits_for() is WaitFor.WORK
    run.end("a")
    decision = run.next()
    assert decision == Stop(verdict=StopVerdict.DEADLINE, why="prod / 1 was not done within 1m", left=("b",))


def test_a_deadline_counts_from_the_first_start_of_the_wave():
    wave = Step(environment="prod", wave="1", clusters=("a", "b", "c"), max_parallel=1, deadline=60)
    run = Run(steps(wave)).wait(1000)
    run.start()
    run.wait(50).end("a")
    assert run.start() == ("b",)
    assert run.wait(10).end("b").stop() is StopVerdict.DEADLINE


def test_past_the_deadline_with_continue_the_rest_is_left_behind():
    wave = Step(
        environment="prod",
        wave="1",
        clusters=("a", "b"),
        max_parallel=1,
        deadline=60,
        on_failure=OnFailure.CONTINUE,
    )
    run = Run(steps(wave))
    run.start()
    assert run.wait(90).end("a").next() == Done()
    run.say(HealthSeen(cluster="a", healthy=True))
    assert run.state.members["b"].phase is Phase.SKIPPED


def test_rollback_takes_the_whole_wave_and_nothing_of_earlier_ones():
    wave = Step(
        environment="prod",
        wave="half",
        clusters=("b", "c", "d"),
        max_failures=0,
        max_parallel=2,
        on_failure=OnFailure.ROLLBACK,
    )
    run = Run(steps(CANARY, wave))
    run.start()
    run.end("a")
    run.start()
    run.end("b", result=Result.UNHEALTHY)
    assert run.waits_for() is WaitFor.WORK
    decision = run.end("c").next()
    why = "1 cluster failed in prod (b), 0 are tolerated"
    assert decision == Rollback(clusters=("b", "c"), why=why)
    run.say(RollbackStarted(cluster="b"), RollbackStarted(cluster="c"))
    assert run.waits_for() is WaitFor.WORK
    run.say(RollbackFinished(cluster="b", ok=True))
    run.say(RollbackFinished(cluster="c", ok=True))
    decision = run.next()
    assert decision == Stop(
        verdict=StopVerdict.ROLLED_BACK,
        why=f"prod / half went back to its previous revision: {why}",
        left=("d",),
    )
    assert not StopVerdict.ROLLED_BACK.resumable
    assert run.state.members["a"].phase is Phase.DONE


def test_a_rollback_that_fails_says_so():
    wave = Step(environment="prod", wave="", clusters=("a",), on_failure=OnFailure.ROLLBACK)
    run = Run(steps(wave))
    run.start()
    run.end("a", result=Result.FAILED).say(RollbackStarted(cluster="a"))
    run.say(RollbackFinished(cluster="a", ok=False, message="no previous revision"))
    assert run.stop() is StopVerdict.ROLLBACK_FAILED


def test_a_pause_lets_work_end_and_a_resume_goes_on():
    run = Run(steps(CANARY, REST))
    run.start()
    run.say(Pause(who="ann", why="lunch"))
    assert run.waits_for() is WaitFor.WORK
    decision = run.end("a").next()
    assert decision == Stop(verdict=StopVerdict.PAUSED, why="paused by ann: lunch", left=("b", "c"))
    assert run.say(Resume(who="ann")).start() == ("b", "c")
    assert [(r.kind, r.who, r.why) for r in run.state.requests] == [
        ("Pause", "ann", "lunch"),
        ("Resume", "ann", ""),
    ]


def test_a_resume_tries_what_failed_again():
    run = Run(steps(CANARY, REST))
    run.start()
    run.end("a", result=Result.FAILED)
    assert run.stop() is StopVerdict.FAILED
    run.say(Resume(who="ann"))
    assert run.start() == ("a",)
    assert run.end("a").start() == ("b", "c")


def test_a_resume_may_leave_what_failed_behind():
    run = Run(steps(CANARY, REST))
    run.start()
    run.end("a", result=Result.FAILED).say(Resume(who="ann", skip_failed=True))
    assert run.start() == ("b", "c")


def test_an_abort_stops_for_good():
    run = Run(steps(CANARY, REST))
    run.start()
    run.say(Abort(who="bob", why="wrong image"))
    assert run.waits_for() is WaitFor.WORK
    run.end("a").say(Resume(who="ann"))
    assert run.next() == Stop(verdict=StopVerdict.ABORTED, why="aborted by bob: wrong image", left=("b", "c"))


def test_an_abort_in_a_soak_is_still_one_when_the_soak_would_be_over():
    run = Run(steps(soaking(CANARY, 600)))
    run.start()
    run.end("a").say(Abort(who="bob"))
    assert run.stop() is StopVerdict.ABORTED
    assert run.wait(900).stop() is StopVerdict.ABORTED


def test_a_newer_rollout_takes_over_a_paused_one():
    run = Run(steps(CANARY)).say(Pause(who="ann"), Supersede(by="4f2a", who="ci"))
    decision = run.next()
    assert isinstance(decision, Stop)
    assert (decision.verdict, decision.why) == (StopVerdict.SUPERSEDED, "superseded by 4f2a")


NOON_FREEZE = Window(
    kind=WindowKind.DENY, schedule="0 12 * * *", duration=3600, owner="environment prod", description="lunch"
)


def test_a_closed_window_waits_and_says_until_when():
    run = Run(steps(Step(environment="prod", wave="", clusters=("a",), windows=(NOON_FREEZE,))))
    decision = run.next()
    assert isinstance(decision, Wait)
    assert decision.reason is WaitFor.WINDOW
    assert decision.until == 1000.0 + 3600
    assert decision.opens is not None
    assert decision.opens.isoformat() == "2026-11-23T13:00:00+00:00"
    assert decision.why == "environment prod denies changes from `0 12 * * *` for 1h (UTC): lunch"
    assert run.wait(3600).start() == ("a",)


def test_windows_can_be_overridden_with_a_reason():
    run = Run(steps(Step(environment="prod", wave="", clusters=("a",), windows=(NOON_FREEZE,))))
    assert run.say(OverrideWindows(who="ann", why="outage")).start() == ("a",)
    assert run.state.override is not None
    assert run.state.override.why == "outage"


def test_a_window_of_one_cluster_holds_that_one_only():
    window = Window(
        kind=WindowKind.DENY, schedule="0 12 * * *", duration=3600, owner="cluster b", clusters=("b",)
    )
    run = Run(steps(Step(environment="prod", wave="", clusters=("a", "b"), windows=(window,))))
    assert run.start() == ("a",)
    assert run.waits_for() is WaitFor.WORK
    assert run.end("a").waits_for() is WaitFor.WINDOW
    assert run.wait(3600).start() == ("b",)


def test_a_window_that_never_opens_is_a_stop():
    always = Window(kind=WindowKind.DENY, schedule="* * * * *", duration=3600, owner="environment prod")
    run = Run(steps(Step(environment="prod", wave="", clusters=("a",), windows=(always,))))
    assert run.stop() is StopVerdict.CLOSED


def test_late_and_double_messages_change_nothing():
    run = Run(steps(CANARY, REST))
    run.end("a").say(Started(cluster="b"), Started(cluster="nobody"))
    assert run.start() == ("a",)
    run.end("a").end("a", result=Result.FAILED).say(RollbackFinished(cluster="a", ok=False))
    assert run.start() == ("b", "c")


def test_another_process_goes_on_with_its_own_clock():
    run = Run(steps(soaking(CANARY, 600), REST))
    run.start()
    run.end("a")
    stored = from_json(to_json(run.state))
    later = at(300)
    elsewhere = type(later)(monotonic=7.0, wall=later.wall)
    state = reclocked(stored, elsewhere)
    decision = decide(state, elsewhere)
    assert isinstance(decision, Wait)
    assert decision.until == 307.0
