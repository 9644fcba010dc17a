"""What would stop a rollout, as far as a plan can tell: read by people before anything is begun."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from fleetmgr.model.rollout import Obstacle, ObstacleKind, OnFailure, RolloutPlan, Step
from fleetmgr.rollout.reasons import named
from fleetmgr.rollout.windows import Closed, closed


def outlook(plan: RolloutPlan, at: datetime) -> RolloutPlan:
    """``plan`` with its obstacles at ``at`` (aware), in the order of its steps."""
    found = [obstacle for index in range(len(plan.steps)) for obstacle in _of_step(plan, index, at)]
    return replace(plan, obstacles=tuple(found))


def _of_step(plan: RolloutPlan, index: int, at: datetime) -> Iterator[Obstacle]:
    step = plan.steps[index]
    if step.clusters:
        yield from _windows(step, at)
        yield from _unavailable(plan, step)
    later = [name for following in plan.steps[index + 1 :] for name in following.clusters]
    if step.on_failure is not OnFailure.CONTINUE:
        yield from _failed(plan, index, later)
        if step.declared and later and step.unreachable and not (step.clusters or step.unchanged):
            why = f"no cluster of {step.name} can be reached, so it proves nothing"
            yield _obstacle(step, ObstacleKind.UNPROVEN, why, step.unreachable)


def _windows(step: Step, at: datetime) -> Iterator[Obstacle]:
    """Each closed window once, with the clusters that it holds up."""
    found: dict[Closed, list[str]] = {}
    for name in step.clusters if step.windows else ():
        shut = closed(step.windows, name, at)
        if shut is not None:
            found.setdefault(shut, []).append(name)
    for shut, names in found.items():
        yield replace(_obstacle(step, ObstacleKind.WINDOW, shut.why, tuple(names)), opens=shut.opens)


def _unavailable(plan: RolloutPlan, step: Step) -> Iterator[Obstacle]:
    """Clusters that cannot be reached use the budget up; the health of the others is only known at the apply."""
    if step.max_unavailable is None:
        return
    own = (s for s in plan.steps if s.environment == step.environment)
    lost = tuple(name for s in own for name in (*s.unreachable, *s.failed))
    if len(lost) >= max(1, step.max_unavailable):
        are = "is" if len(lost) == 1 else "are"
        why = f"{named(lost)} {are} not available, maxUnavailable is {step.max_unavailable}"
        yield _obstacle(step, ObstacleKind.UNAVAILABLE, why, lost)


def _failed(plan: RolloutPlan, index: int, later: list[str]) -> Iterator[Obstacle]:
    """Clusters that could not be planned are failures of their wave."""
    step = plan.steps[index]
    if not step.failed or not (later or step.clusters):
        return
    before = (s for s in plan.steps[: index + 1] if s.environment == step.environment)
    number = sum(len(s.failed) for s in before)
    if step.max_failures is None or number > step.max_failures:
        what = (
            "nothing of it is begun"
            if step.max_failures is not None and step.clusters
            else "nothing after it is begun"
        )
        why = f"{named(step.failed)} could not be planned, so {what}"
        yield _obstacle(step, ObstacleKind.FAILED, why, step.failed)


def _obstacle(step: Step, kind: ObstacleKind, why: str, clusters: tuple[str, ...]) -> Obstacle:
    return Obstacle(environment=step.environment, wave=step.wave, kind=kind, why=why, clusters=clusters)
