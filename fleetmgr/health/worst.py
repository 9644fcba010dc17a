"""Health of many as one: the worst of them."""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.model.health import BEST_FIRST, Health, HealthStatus
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.report import ObjectHealth


def worst(objects: Iterable[ObjectHealth]) -> Health:
    """The worst status with the message of its first object; nothing at all is Healthy.

    Suspended objects do not hold an app back, as in Argo CD.
    """
    status, message = HealthStatus.HEALTHY, ""
    for item in sorted(objects, key=_by_ref):
        if BEST_FIRST.index(item.health.status) > BEST_FIRST.index(status):
            status = item.health.status
            message = f"{item.ref.short}: {item.health.message}" if item.health.message else item.ref.short
    return Health(status=status, message=message)


def _by_ref(item: ObjectHealth) -> ObjectRef:
    return item.ref
