"""Webhook configurations: well once they exist. Whether their Services have somebody behind them is said by the
surroundings: until then the API server refuses what they are to see."""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.health.conditions import HEALTHY, Rules, progressing
from fleetmgr.model.health import Health
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object
from fleetmgr.model.objects import GroupKind
from fleetmgr.model.webhooks import WEBHOOK_GROUP, WEBHOOK_KINDS


def _exists(_live: JsonObject) -> Health:
    return HEALTHY


def with_endpoints(health: Health, service: tuple[str, str], slices: Iterable[JsonObject] | None) -> Health:
    """Not well while no endpoint of the Service is ready. ``slices`` None: they may not be read."""
    if slices is None:
        return health
    ready = any(
        child(endpoint, "conditions", "ready") is not False
        for part in slices
        for endpoint in array_at(part, "endpoints")
        if is_object(endpoint)
    )
    namespace, name = service
    return health if ready else progressing(f"Service {namespace}/{name} has no ready endpoint")


RULES: Rules = {GroupKind(WEBHOOK_GROUP, kind): _exists for kind in WEBHOOK_KINDS}
