"""The machine's promises, for rollouts and histories that nobody thought of."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleetmgr.model.rollout import OnFailure, RolloutPlan, Step, Window, WindowKind
from fleetmgr.rollout.advancing import advanced
from fleetmgr.rollout.decisions import Done, Rollback, Start, Stop, StopVerdict, Wait, WaitFor
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
from fleetmgr.rollout.judging import in_work, unavailable
from fleetmgr.rollout.machine import begin, decide, observe, reclocked
from fleetmgr.rollout.state import Phase, from_json, to_json
from tests.rollout.rollouts import at, steps

LIMITS = st.none() | st.integers(min_value=0, max_value=3)
WINDOWS = st.builds(
    Window,
    kind=st.sampled_from(WindowKind),
    schedule=st.sampled_from(["0 12 * * *", "5 12 * * *", "0 0 1 1 *"]),
    duration=st.sampled_from([60.0, 3600.0]),
    owner=st.sampled_from(["environment e0", "app web"]),
)


@st.composite
def plans(draw: st.DrawFn) -> RolloutPlan:
    names = (f"c{n}" for n in itertools.count())
    found: list[Step] = []
    for environment in range(draw(st.integers(1, 2))):
        template = Step(
            environment=f"e{environment}",
            wave="",
            max_parallel=draw(st.none() | st.integers(1, 3)),
            max_unavailable=draw(LIMITS),
            max_failures=draw(LIMITS),
            soak=draw(st.sampled_from([0.0, 0.0, 60.0])),
            deadline=draw(st.none() | st.sampled_from([30.0, 600.0])),
            on_failure=draw(st.sampled_from(OnFailure)),
            declared=draw(st.booleans()),
            windows=tuple(draw(st.lists(WINDOWS, max_size=1))),
        )
        found += [
            replace(
                template,
                wave=str(wave),
                clusters=tuple(itertools.islice(names, draw(st.integers(0, 4)))),
                unchanged=tuple(itertools.islice(names, draw(st.integers(0, 1)))),
                unreachable=tuple(itertools.islice(names, draw(st.sampled_from([0, 0, 0, 1])))),
                failed=tuple(itertools.islice(names, draw(st.sampled_from([0, 0, 0, 0, 1])))),
            )
            for wave in range(draw(st.integers(1, 3)))
        ]
    return steps(*found)


PERSON: tuple[Event, ...] = (
    Pause(who="ann"),
    Resume(who="ann"),
    Resume(who="ann", skip_failed=True),
    Abort(who="ann"),
    Supersede(by="next"),
    OverrideWindows(who="ann", why="outage"),
)


class Runner:
    """Does what the machine says, in an order and with an outcome that hypothesis chooses, and looks on."""

    def __init__(self, plan: RolloutPlan, seed: int) -> None:
        self.plan = plan
        self.chance = random.Random(seed)  # noqa: S311 - a story, no secret
        self.well_before = 0
        self.time = 0.0
        self.state = begin(plan, at(), parallel=self.chance.choice([None, 1, 2, 3]))

    def say(self, event: Event) -> None:
        self.state = observe(self.state, event, at(self.time))

    def run(self) -> Done | Stop:
        """To the end; a person interferes a few times, then no more."""
        whims = self.chance.randint(0, 4)
        for _ in range(400):
            decision = decide(self.state, at(self.time))
            assert decide(from_json(to_json(self.state)), at(self.time)) == decision
            assert decide(reclocked(self.state, at(self.time)), at(self.time)) == decision
            if isinstance(decision, Done | Stop):
                assert not in_work(self.state)
                if not isinstance(decision, Stop) or not decision.verdict.resumable or not whims:
                    return decision
            if whims and self.chance.random() < 0.25:
                whims -= 1
                self.say(self.chance.choice(PERSON))
                continue
            if isinstance(decision, Stop):
                return decision
            self.obey(decision)
        raise AssertionError("it never ends")

    def obey(self, decision: Start | Wait | Rollback | Done) -> None:
        match decision:
            case Start():
                self.check_start(decision)
                for name in decision.clusters:
                    self.say(Started(cluster=name))
                self.check_budgets()
            case Rollback():
                assert all(self.state.members[n].started for n in decision.clusters)
                for name in decision.clusters:
                    self.say(RollbackStarted(cluster=name))
                self.check_parallel()
            case Wait():
                self.pass_time(decision)
            case Done():
                raise AssertionError

    def pass_time(self, decision: Wait) -> None:
        working = in_work(self.state)
        assert decision.reason is not WaitFor.WORK or working
        if working:
            self.time += self.chance.choice([1.0, 20.0, 100.0])
            name = self.chance.choice(working)
            if self.state.members[name].phase is Phase.RUNNING:
                self.say(Finished(cluster=name, result=self.chance.choice(list(Result))))
            else:
                self.say(RollbackFinished(cluster=name, ok=self.chance.choice([True, False])))
            return
        assert decision.until is not None
        assert decision.until > 1000.0 + self.time
        if decision.watch and self.chance.choice([True, False]):
            name = self.chance.choice(decision.watch)
            ill = self.chance.choice([True, False, False])
            self.say(HealthSeen(cluster=name, healthy=not ill, reachable=self.chance.choice([True, False])))
        self.time = decision.until - 1000.0

    def check_start(self, decision: Start) -> None:
        """Only pending clusters of one step, after every earlier step is over and soaked."""
        assert decision.clusters
        assert len(set(decision.clusters)) == len(decision.clusters)
        (index,) = {i for i, s in enumerate(self.plan.steps) if set(decision.clusters) & set(s.clusters)}
        assert all(self.state.members[n].phase is Phase.PENDING for n in decision.clusters)
        state = advanced(self.state, 1000.0 + self.time)
        for step in self.plan.steps[:index]:
            ends = [state.members[n] for n in step.clusters]
            assert not any(m.phase in (Phase.PENDING, Phase.RUNNING) for m in ends)
            begun = [m.since for m in ends if m.started]
            assert not begun or 1000.0 + self.time >= max(begun) + step.soak
        assert not self.over_failures(self.plan.steps[index])
        self.well_before = len(unavailable(self.state))

    def over_failures(self, step: Step) -> bool:
        if step.max_failures is None or step.on_failure is OnFailure.CONTINUE:
            return False
        until = self.plan.steps.index(step)
        members = [
            self.state.members[n]
            for s in self.plan.steps[: until + 1]
            if s.environment == step.environment
            for n in s.members
        ]
        return sum(m.failed and not m.forgiven for m in members) > step.max_failures

    def check_budgets(self) -> None:
        self.check_parallel()
        limit = self.state.current.max_unavailable
        if limit is not None:
            now = len(unavailable(self.state))
            assert now <= max(1, limit, self.well_before)

    def check_parallel(self) -> None:
        for limit in (self.state.current.max_parallel, self.state.parallel):
            assert limit is None or len(in_work(self.state)) <= limit


@settings(max_examples=150, deadline=None)
@given(plans(), st.integers(0, 2**32))
def test_every_run_keeps_its_budgets_and_ends(plan: RolloutPlan, seed: int):
    for number in range(5):
        Runner(plan, seed + number).run()


@settings(max_examples=80, deadline=None)
@given(plans(), st.integers(0, 2**32), st.integers(0, 20))
def test_an_abort_always_stops(plan: RolloutPlan, seed: int, after: int):
    runner = Runner(plan, seed)
    for _ in range(after):
        decision = decide(runner.state, at(runner.time))
        if isinstance(decision, Stop | Done):
            break
        runner.obey(decision)
    runner.say(Abort(who="ann"))
    while isinstance(decision := decide(runner.state, at(runner.time)), Wait):
        assert decision.reason is WaitFor.WORK
        runner.obey(decision)
    if not isinstance(decision, Done):
        assert isinstance(decision, Stop)
        assert decision.verdict is StopVerdict.ABORTED


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(Result), st.booleans()), min_size=1, max_size=5).flatmap(
        lambda found: st.tuples(st.just(found), st.permutations(range(len(found))))
    ),
    LIMITS,
    st.sampled_from(OnFailure),
    st.booleans(),
)
def test_the_order_of_events_in_a_wave_does_not_change_the_verdict(
    found: tuple[list[tuple[Result, bool]], list[int]],
    max_failures: int | None,
    on_failure: OnFailure,
    declared: bool,
):
    results, order = found
    names = [f"c{n}" for n in range(len(results))]
    wave = Step(
        environment="e",
        wave="1",
        clusters=tuple(names),
        max_failures=max_failures,
        on_failure=on_failure,
        declared=declared,
        soak=60,
    )
    plan = steps(wave, Step(environment="e", wave="2", clusters=("last",)))

    def verdict(sequence: list[int]) -> object:
        state = begin(plan, at())
        for name in names:
            state = observe(state, Started(cluster=name), at())
        for n in sequence:
            state = observe(state, Finished(cluster=names[n], result=results[n][0]), at(10))
        for n in sequence:
            state = observe(state, HealthSeen(cluster=names[n], healthy=results[n][1]), at(20))
        return decide(state, at(80)), {n: m.phase for n, m in state.members.items()}

    assert verdict(order) == verdict(list(range(len(results))))
