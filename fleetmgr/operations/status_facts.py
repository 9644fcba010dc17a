"""What a live object says of its app besides its health: which images run, and since when it is as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at
from fleetmgr.model.objects import ObjectKey
from fleetmgr.model.report import ObjectHealth

_POD_SPECS = (
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
    ("spec",),
)


def images_of(objects: Iterable[JsonObject]) -> tuple[str, ...]:
    """The distinct images of the containers that workloads name, in their order; init containers are left out."""
    found: dict[str, None] = {}
    for body in objects:
        for path in _POD_SPECS:
            for container in array_at(body, *path, "containers"):
                image = container.get("image") if is_object(container) else None
                if isinstance(image, str) and image:
                    found[image] = None
    return tuple(found)


def since_of(
    objects: Iterable[ObjectHealth], live: Mapping[ObjectKey, JsonObject], status: HealthStatus
) -> str | None:
    """RFC 3339: when the last of the objects that make the app ``status`` came to be so.

    That is the newest transition of their conditions, or their creation where they have none; None when
    nothing says it.
    """
    concerned = [o for o in objects if status is HealthStatus.HEALTHY or o.health.status is status]
    bodies = [live[o.ref.key] for o in concerned if o.ref.key in live]
    moved = [when for body in bodies for when in _transitions(body)]
    created = [str(child(body, "metadata", "creationTimestamp") or "") for body in bodies]
    return max(moved, default="") or max(created, default="") or None


def _transitions(body: JsonObject) -> Iterable[str]:
    for condition in array_at(object_at(body, "status"), "conditions"):
        when = condition.get("lastTransitionTime") if is_object(condition) else None
        if isinstance(when, str) and when:
            yield when
