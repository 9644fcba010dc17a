"""What every document says of each cluster that it is about."""

from __future__ import annotations

from typing import Protocol

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import ClusterFailure
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.problems import problem_data


class LookedAt(Protocol):
    """A cluster entry that was asked, and what came of it."""

    @property
    def cluster(self) -> str:
        """Its name."""
        ...

    @property
    def environment(self) -> str:
        """Its environment."""
        ...

    @property
    def failure(self) -> ClusterFailure | None:
        """Why there is no result, or only a part of one."""
        ...


def cluster_data(cluster: LookedAt, verdict: Verdict) -> JsonObject:
    """``{name, environment, exitCode, error?}``."""
    data: JsonObject = {
        "name": cluster.cluster,
        "environment": cluster.environment,
        "exitCode": int(verdict.clusters.get(cluster.cluster, ExitCode.OK)),
    }
    return data | ({"error": problem_data(cluster.failure.problem)} if cluster.failure else {})
