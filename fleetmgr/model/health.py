"""How a workload is, in Argo CD's words (worst first in ``WORST_FIRST``)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class HealthStatus(StrEnum):
    """Health of an object, an app or a cluster."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"


BEST_FIRST = (
    HealthStatus.HEALTHY,
    HealthStatus.SUSPENDED,
    HealthStatus.PROGRESSING,
    HealthStatus.MISSING,
    HealthStatus.DEGRADED,
    HealthStatus.UNKNOWN,
)


class Health(Struct, frozen=True, kw_only=True):
    """A status and the sentence that explains it."""

    status: HealthStatus
    message: str = ""
