"""Fleet -> how changes go through its environments: waves with their clusters, budgets, windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fleetmgr.errors import Problem
from fleetmgr.expansion.waves import resolved, waves_of
from fleetmgr.expansion.windows import windows_of
from fleetmgr.model.rollout import AppWindows, EnvironmentRollout, FleetRollout, OnFailure, Wave
from fleetmgr.spec.plain import seconds
from fleetmgr.spec.yaml_tree import Key

if TYPE_CHECKING:
    from fleetmgr.spec import Environment, LoadedFleet
    from fleetmgr.spec.rollout import Rollout

CANNOT_WORK = "FLT-1127"


def roll_out(loaded: LoadedFleet, problems: list[Problem]) -> FleetRollout:
    """What fleet.yaml says about rollouts; what is wrong is appended to ``problems``."""
    of = {
        e.name: [c for c in loaded.fleet.clusters if c.environment == e.name]
        for e in loaded.fleet.environments
    }
    environments = tuple(
        _environment(loaded, environment, [c.name for c in of[environment.name]], problems)
        for environment in loaded.fleet.environments
    )
    apps = tuple(
        AppWindows(
            app=app.name,
            windows=windows_of(loaded, app.windows, ("apps", app.name), problems),
        )
        for app in loaded.fleet.apps
        if app.windows
    )
    return FleetRollout(environments=environments, apps=apps)


def _environment(
    loaded: LoadedFleet, environment: Environment, clusters: Sequence[str], problems: list[Problem]
) -> EnvironmentRollout:
    path = ("environments", environment.name)
    windows = windows_of(loaded, environment.windows, path, problems)
    for cluster in loaded.fleet.clusters:
        if cluster.environment == environment.name and cluster.windows:
            windows += windows_of(loaded, cluster.windows, ("clusters", cluster.name), problems)
    where = loaded.where(*path, "rollout")
    rollout = environment.rollout
    if rollout is None:
        everything = (Wave(name="", clusters=tuple(clusters)),)
        return EnvironmentRollout(environment=environment.name, waves=everything, windows=windows)
    problems += _cannot_work(loaded, rollout, (*path, "rollout"))
    total = len(clusters)
    return EnvironmentRollout(
        environment=environment.name,
        waves=waves_of(loaded, environment.name, rollout.waves, problems),
        declared=True,
        max_parallel=resolved(rollout.max_parallel, total),
        max_unavailable=resolved(rollout.max_unavailable, total),
        max_failures=resolved(rollout.max_failures, total),
        soak=seconds(rollout.soak) if rollout.soak else 0.0,
        deadline=seconds(rollout.deadline) if rollout.deadline else None,
        on_failure=OnFailure(rollout.on_failure),
        windows=windows,
        where=where,
    )


def _cannot_work(loaded: LoadedFleet, rollout: Rollout, path: tuple[Key, ...]) -> Iterator[Problem]:
    """Settings that would let nothing happen, or that contradict each other."""

    def problem(field: str, message: str, hint: str | None = None) -> Problem:
        return Problem(message=message, where=loaded.where(*path, field), hint=hint, code=CANNOT_WORK)

    if rollout.max_parallel in (0, "0%"):
        yield problem("maxParallel", "`maxParallel` must be at least 1", "leave it out for no limit")
    if rollout.deadline is not None and seconds(rollout.deadline) == 0:
        yield problem("deadline", "`deadline` must be more than zero", "leave it out for no deadline")
    if rollout.max_failures is not None and rollout.on_failure == "continue":
        message = "`maxFailures` says when to stop, and `onFailure: continue` never stops"
        yield problem("maxFailures", message, "leave one of them out")
