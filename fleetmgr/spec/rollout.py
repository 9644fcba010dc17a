"""How changes go through an environment, and when: rollouts in waves, windows."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from fleetmgr.spec.fields import Count, Duration, Name, Percentage, StringMap
from fleetmgr.spec.overlay import SpecModel

Amount: TypeAlias = Count | Percentage
"""A number of clusters, or a percentage of all clusters of the environment, rounded up."""


class Wave(SpecModel):
    """A part of an environment's clusters. The first wave that fits a cluster has it."""

    name: Name = Field(description="Name of the wave, unique in the environment.")
    select: str | StringMap | None = Field(
        default=None, description="Kubernetes selector on cluster labels, such as `tier=canary`, or a map."
    )
    count: Amount | None = Field(
        default=None,
        description='So many of the clusters that no earlier wave has, in list order; `"50%"` is of all clusters of'
        " the environment, rounded up.",
    )
    clusters: tuple[str, ...] | None = Field(default=None, description="These clusters.")


class Rollout(SpecModel):
    """In which waves clusters are changed, and what stops that. Amounts are numbers or percentages of all clusters
    of the environment, rounded up."""

    waves: tuple[Wave, ...] = Field(
        default=(),
        description="One after the other; unset is one wave of all. A last wave that selects nothing takes the rest.",
    )
    max_parallel: Amount | None = Field(
        default=None, description="Clusters in work at a time; unset is what the command line allows."
    )
    max_unavailable: Amount | None = Field(
        default=None,
        description="Clusters of the environment that may be not healthy at a time, those in work, those that were ill"
        " before and those that cannot be reached included; 0 is as 1. Unset is any number.",
    )
    max_failures: Amount | None = Field(
        default=None,
        description="Failed clusters of the environment that are tolerated; 0 stops at the first. Unset: a wave is"
        " finished, then any failure stops before the next.",
    )
    soak: Duration | None = Field(
        default=None, description="How long a wave must stay healthy before the next one."
    )
    deadline: Duration | None = Field(
        default=None, description="How long a wave may take from its first start, soak not included."
    )
    on_failure: Literal["pause", "continue", "rollback"] = Field(
        default="pause",
        description="What follows too many failures: pause (nothing more is begun; default), continue, or rollback (the"
        " clusters of the wave go back to their previous revision).",
    )


class Window(SpecModel):
    """A time in which clusters may be begun, or may not."""

    kind: Literal["allow", "deny"] = Field(
        description="deny: no start while it is open; allow: starts only while one that allows is open."
    )
    schedule: str = Field(
        min_length=1,
        description="When it opens, as cron: minute, hour, day of month, month, day of week, in local wall time.",
    )
    duration: Duration = Field(description="For how long it is open.")
    timezone: str = Field(default="UTC", min_length=1, description="Time zone of the schedule: `Asia/Seoul`.")
    description: Annotated[str, Field(max_length=255)] = Field(
        default="", description="Why, for those who wait."
    )
