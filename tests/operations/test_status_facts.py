"""Images and since when, from live objects."""

from __future__ import annotations

from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ref_of
from fleetmgr.model.report import ObjectHealth
from fleetmgr.operations.status_facts import images_of, since_of


def workload(kind: str, name: str, spec: JsonObject, *moved: str) -> JsonObject:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "x", "creationTimestamp": "2026-11-01T00:00:00Z"},
        "spec": spec,
        "status": {"conditions": [{"type": "A", "lastTransitionTime": when} for when in moved]},
    }


def pods(*images: str) -> JsonObject:
    return {
        "initContainers": [{"image": "init:1"}],
        "containers": [{"name": image, "image": image} for image in images],
    }


def test_images_of_every_sort_of_workload() -> None:
    bodies = [
        workload("Deployment", "a", {"template": {"spec": pods("a:1", "b:2")}}),
        workload("CronJob", "b", {"jobTemplate": {"spec": {"template": {"spec": pods("c:3")}}}}),
        workload("Pod", "c", pods("a:1")),
        workload("ConfigMap", "d", {}),
    ]
    assert images_of(bodies) == ("a:1", "b:2", "c:3")


def test_since_is_of_the_objects_that_decide() -> None:
    good = workload("Deployment", "a", {}, "2026-11-03T00:00:00Z", "2026-11-05T00:00:00Z")
    bad = workload("Deployment", "b", {}, "2026-11-04T00:00:00Z")
    plain = workload("Deployment", "c", {})
    live = {ref_of(body).key: body for body in (good, bad, plain)}

    def health(body: JsonObject, status: HealthStatus) -> ObjectHealth:
        return ObjectHealth(ref=ref_of(body), health=Health(status=status))

    both = [health(good, HealthStatus.HEALTHY), health(bad, HealthStatus.DEGRADED)]
    assert since_of(both, live, HealthStatus.DEGRADED) == "2026-11-04T00:00:00Z"
    assert since_of(both[:1], live, HealthStatus.HEALTHY) == "2026-11-05T00:00:00Z"
    assert since_of([health(plain, HealthStatus.HEALTHY)], live, HealthStatus.HEALTHY) == (
        "2026-11-01T00:00:00Z"
    )
    assert since_of(both, {}, HealthStatus.DEGRADED) is None
