"""Rollouts for tests: steps in a line, and a clock that only tests move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fleetmgr.model.rollout import RolloutPlan, Step
from fleetmgr.rollout.state import Instant

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(seconds: float = 0.0) -> Instant:
    """``seconds`` after Monday noon."""
    return Instant(monotonic=1000.0 + seconds, wall=MONDAY + timedelta(seconds=seconds))


def steps(*found: Step) -> RolloutPlan:
    return RolloutPlan(plan_id="p1", revision="r1", steps=found, totals={})
