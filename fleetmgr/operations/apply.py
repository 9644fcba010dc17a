"""``fleet apply``: perform a Plan that this walk has just made: environments in their order, waves inside one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from fleetmgr.errors import Terminated, UsageError
from fleetmgr.expansion.rollouts import fleet_rollout
from fleetmgr.model.change import Plan
from fleetmgr.model.event import EventSink
from fleetmgr.model.report import Report
from fleetmgr.model.rollout import RolloutPlan
from fleetmgr.model.selection import Selection
from fleetmgr.operations.across import across
from fleetmgr.operations.embedded.run import UpOptions
from fleetmgr.operations.guards import refuse_unsafe
from fleetmgr.operations.rollouts.crew import ClusterCrew
from fleetmgr.operations.rollouts.journal import Journal
from fleetmgr.operations.rollouts.opening import ill_clusters, opened, quiet_clusters, rolling_apps
from fleetmgr.operations.rollouts.outcome import ended_report
from fleetmgr.operations.rollouts.remembered import earlier, journal_of, new_id, shelves_of, take_over
from fleetmgr.operations.rollouts.run import RolloutRun
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.confirmation import withheld
from fleetmgr.rollout.events import OverrideWindows
from fleetmgr.rollout.machine import observe
from fleetmgr.rollout.state import Instant, State
from fleetmgr.rollout.steps import rollout_plan


def apply(
    walk: Walk, plan: Plan, selection: Selection, sink: EventSink, *, wait: bool, timeout: float | None
) -> Report:
    """Perform ``plan`` on every cluster that could be looked at; ``timeout`` (seconds) overrides the apps' own.

    What may be begun when is decided by the rollout machine from ``environments[].rollout``; where nothing is said,
    all clusters of an environment at once, and none of the next one after a failure. A signal finishes what is being
    written; the report says how far it came. ``plan`` must come from this very walk: what was read for it is what
    the writes are fenced to.

    Raises before anything is written: PlanRefused (exit 5), RolloutPaused (7), OtherRevision (6), UsageError.
    """
    refuse_unsafe(plan)
    plan = withheld(plan)
    steps = rollout_plan(plan, fleet_rollout(walk.loaded))
    busy = [step for step in steps.steps if step.clusters]
    if not wait and any(step.declared for step in busy):
        raise UsageError(
            f"--no-wait cannot be used where {busy[0].environment} has a rollout: its waves are judged by health",
            hint="leave --no-wait out, or select an environment without a rollout",
        )
    options = UpOptions(
        plan_id=plan.id,
        revision=plan.revision,
        actor=walk.actor,
        wait=wait,
        timeout=timeout,
        dirty_reason=walk.dirty_reason,
        lock=walk.lock,
    )
    crew = ClusterCrew(
        walk=walk,
        parts={part.cluster: part for part in plan.clusters},
        options=options,
        sink=sink,
        rolling=rolling_apps(plan),
    )
    ill = ill_clusters(walk, plan, steps) if wait else {}
    if walk.pace.resume or (busy and (steps.guarded or len(steps.steps) > 1)):
        return _remembered(walk, plan, selection, crew, steps, ill)
    state = opened(steps, instant(walk), ill=ill, before=None, parallel=walk.parallel)
    return _performed(walk, plan, crew, state, None)


def _remembered(
    walk: Walk,
    plan: Plan,
    selection: Selection,
    crew: ClusterCrew,
    steps: RolloutPlan,
    ill: Mapping[str, str],
) -> Report:
    """A rollout of several steps is kept on its clusters, so that others can see it, pause it, and go on with it."""
    shelves = shelves_of(walk, plan)
    found = earlier(walk, plan, selection, shelves)
    going_on = found.going_on
    state = opened(
        steps,
        instant(walk),
        ill=ill,
        before=going_on.state if going_on else None,
        parallel=walk.parallel,
    )
    name = going_on.id if going_on else new_id(walk, plan)
    take_over(walk, found, shelves, by=name)
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="rollout") as aside:
        journal = journal_of(walk, state, found, selection, rollout=name, shelves=shelves, aside=aside)
        try:
            return _performed(walk, plan, crew, state, journal)
        finally:
            journal.close()


def _performed(walk: Walk, plan: Plan, crew: ClusterCrew, state: State, journal: Journal | None) -> Report:
    if walk.pace.override_windows:
        override = OverrideWindows(who=walk.actor, why=walk.pace.override_windows)
        state = observe(state, override, instant(walk))
    run = RolloutRun(
        state=state,
        crew=crew,
        clock=walk.clock,
        stop=walk.stop,
        sink=crew.sink,
        parallel=walk.parallel,
        journal=journal,
        told=journal is not None,
        wait_for_windows=walk.pace.wait_for_windows,
    )
    quiet = quiet_clusters(state, plan)
    try:
        kept = across(crew.keep_up, quiet, parallel=walk.parallel, stop=walk.stop)
    except (KeyboardInterrupt, Terminated) as signal:
        kept, ended = [], run.stopped_by(signal)
    else:
        ended = run.run()
    return ended_report(plan, ended, crew, kept, journal.record.id if journal is not None else "")


def instant(walk: Walk) -> Instant:
    """Now."""
    return Instant(monotonic=walk.clock.monotonic(), wall=walk.clock.now())
