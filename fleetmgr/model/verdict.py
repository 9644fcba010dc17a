"""How a run ends for the process: one exit code, why, and each cluster's own code."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from fleetmgr.errors import ExitCode


class Verdict(Struct, frozen=True, kw_only=True):
    """``reason`` is a clause for people and JSON: ``1 of 3 clusters unreachable``."""

    exit_code: ExitCode
    reason: str
    clusters: Mapping[str, ExitCode] = field(default_factory=dict[str, ExitCode])
