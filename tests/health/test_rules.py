"""Health of live objects, as ``kubectl rollout status`` and Argo CD judge them."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.health.rules import has_rule, health_of
from fleetmgr.health.worst import worst
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.report import ObjectHealth

HEALTHY, PROGRESSING = HealthStatus.HEALTHY, HealthStatus.PROGRESSING
DEGRADED, SUSPENDED = HealthStatus.DEGRADED, HealthStatus.SUSPENDED


def live(kind: str, spec: dict[str, Any], status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    group = {"Job": "batch/v1", "Pod": "v1", "PersistentVolumeClaim": "v1", "Namespace": "v1"}
    group["CustomResourceDefinition"] = "apiextensions.k8s.io/v1"
    return {
        "apiVersion": group.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": "x", "generation": 2, **metadata},
        "spec": spec,
        "status": {"observedGeneration": 2, **status},
    }


def condition(kind: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


def counts(replicas: int, updated: int, available: int) -> dict[str, Any]:
    return {
        "replicas": replicas,
        "updatedReplicas": updated,
        "availableReplicas": available,
        "readyReplicas": available,
    }


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"replicas": 2}, counts(2, 2, 2), HEALTHY),
        ({"replicas": 0}, {}, HEALTHY),
        ({}, {}, PROGRESSING),  # one replica by default, none there
        ({"replicas": 2}, {**counts(2, 2, 2), "observedGeneration": 1}, PROGRESSING),
        ({"replicas": 2}, counts(2, 1, 2), PROGRESSING),
        ({"replicas": 2}, counts(3, 2, 2), PROGRESSING),
        ({"replicas": 2}, counts(2, 2, 1), PROGRESSING),
        ({"replicas": 2, "paused": True}, counts(2, 1, 1), SUSPENDED),
        ({"replicas": 2}, condition("Progressing", "False", reason="ProgressDeadlineExceeded"), DEGRADED),
        (
            {"replicas": 2},
            {**condition("Progressing", "False", reason="ProgressDeadlineExceeded"), "observedGeneration": 1},
            PROGRESSING,
        ),
    ],
)
def test_deployments(spec: dict[str, Any], status: dict[str, Any], expected: HealthStatus) -> None:
    assert health_of(live("Deployment", spec, status)).status is expected


ROLLED = {"currentRevision": "r2", "updateRevision": "r2"}
ROLLING = {"currentRevision": "r1", "updateRevision": "r2"}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"replicas": 2}, {**counts(2, 2, 2), **ROLLED}, HEALTHY),
        ({"replicas": 2}, {**counts(2, 1, 2), **ROLLING}, PROGRESSING),
        ({"replicas": 2}, {**counts(2, 2, 1), **ROLLED}, PROGRESSING),
        ({"replicas": 0}, ROLLED, HEALTHY),
        ({"replicas": 2, "updateStrategy": {"type": "OnDelete"}}, {**counts(2, 0, 2), **ROLLING}, HEALTHY),
        (
            {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            {**counts(3, 1, 3), **ROLLING},
            HEALTHY,
        ),
        (
            {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            {**counts(3, 1, 3), **ROLLING},
            PROGRESSING,
        ),
    ],
)
def test_stateful_sets(spec: dict[str, Any], status: dict[str, Any], expected: HealthStatus) -> None:
    assert health_of(live("StatefulSet", spec, status)).status is expected


def nodes(desired: int, updated: int, available: int) -> dict[str, Any]:
    return {
        "desiredNumberScheduled": desired,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
    }


@pytest.mark.parametrize(
    ("kind", "spec", "status", "expected"),
    [
        ("DaemonSet", {}, nodes(2, 2, 2), HEALTHY),
        ("DaemonSet", {}, nodes(2, 1, 2), PROGRESSING),
        ("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, nodes(2, 1, 2), HEALTHY),
        ("DaemonSet", {}, nodes(2, 2, 1), PROGRESSING),
        ("Job", {}, condition("Complete"), HEALTHY),
        ("Job", {}, condition("Failed", message="too often"), DEGRADED),
        ("Job", {"suspend": True}, {}, SUSPENDED),
        ("Job", {}, {"active": 1}, PROGRESSING),
        ("Pod", {}, {"phase": "Succeeded"}, HEALTHY),
        ("Pod", {}, {"phase": "Failed"}, DEGRADED),
        ("Pod", {}, {"phase": "Running", **condition("Ready")}, HEALTHY),
        ("Pod", {}, {"phase": "Running", **condition("Ready", "False")}, PROGRESSING),
        (
            "Pod",
            {},
            {
                "phase": "Pending",
                "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
            },
            DEGRADED,
        ),
        ("PersistentVolumeClaim", {}, {"phase": "Bound"}, HEALTHY),
        ("PersistentVolumeClaim", {}, {"phase": "Pending"}, PROGRESSING),
        ("PersistentVolumeClaim", {}, {"phase": "Lost"}, DEGRADED),
        ("CustomResourceDefinition", {}, condition("Established"), HEALTHY),
        ("CustomResourceDefinition", {}, condition("NamesAccepted", "False"), DEGRADED),
        ("CustomResourceDefinition", {}, {}, PROGRESSING),
        ("Namespace", {}, {"phase": "Active"}, HEALTHY),
        ("Namespace", {}, {"phase": "Terminating"}, PROGRESSING),
    ],
)
def test_other_kinds(kind: str, spec: dict[str, Any], status: dict[str, Any], expected: HealthStatus) -> None:
    found = health_of(live(kind, spec, status))
    assert found.status is expected
    assert found.message or expected is HEALTHY


def test_what_is_not_there_what_goes_and_what_has_no_rule() -> None:
    assert health_of(None).status is HealthStatus.MISSING
    going = live(
        "Pod", {}, {"phase": "Running", **condition("Ready")}, deletionTimestamp="2026-01-01T00:00:00Z"
    )
    assert health_of(going).status is PROGRESSING
    assert health_of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}).status is HEALTHY
    assert health_of({"apiVersion": "other.example/v1", "kind": "Job", "metadata": {}}).status is HEALTHY
    assert has_rule("apps", "Deployment")
    assert not has_rule("", "ConfigMap")


def test_an_app_is_as_ill_as_its_worst_object_and_suspension_does_not_hold_it_back() -> None:
    def item(name: str, status: HealthStatus) -> ObjectHealth:
        ref = ObjectRef("apps", "v1", "Deployment", "ns", name)
        return ObjectHealth(ref=ref, health=Health(status=status, message="because"))

    assert worst([]).status is HEALTHY
    ill = worst([item("a", PROGRESSING), item("b", DEGRADED), item("c", HEALTHY), item("d", DEGRADED)])
    assert (ill.status, ill.message) == (DEGRADED, "Deployment ns/b: because")
    assert worst([item("a", SUSPENDED), item("b", PROGRESSING)]).status is PROGRESSING
