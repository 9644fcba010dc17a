"""Argo CD's statuses for Kubernetes' own kinds, and where we differ on purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.health.rules import has_rule, health_of
from fleetmgr.model.health import HealthStatus
from tests.health.objects import body, conditions, pod, waiting

SEEN = {"observedGeneration": 2}
LB = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
V1 = "autoscaling.alpha.kubernetes.io/conditions"


def hpa_v1(*items: dict[str, str]) -> dict[str, Any]:
    return body(
        "autoscaling/v1", "HorizontalPodAutoscaler", {}, metadata={"annotations": {V1: json.dumps(items)}}
    )


def cron(status: dict[str, Any] | None, **spec: Any) -> dict[str, Any]:
    return body("batch/v1", "CronJob", status, spec=spec)


def job(*items: str, **spec: Any) -> dict[str, Any]:
    return body("batch/v1", "Job", conditions(*items), spec=spec)


def hpa(*items: str) -> dict[str, Any]:
    return body("autoscaling/v2", "HorizontalPodAutoscaler", conditions(*items))


def stateful_set(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return body("apps/v1", "StatefulSet", {**SEEN, **status}, spec={"replicas": 2, **spec})


def daemon_set(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return body("apps/v1", "DaemonSet", {**SEEN, **status}, spec=spec)


ENDED: dict[str, Any] = {
    "name": "main",
    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
    "state": {"running": {}},
}
OOM: dict[str, Any] = {"name": "main", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
READY = [{"type": "Ready", "status": "True"}]
T1, T2 = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"

TABLE: list[tuple[dict[str, Any], str, str]] = [
    (job("Complete"), "Healthy", ""),
    (job("Failed=True:BackoffLimitExceeded:too often"), "Degraded", "too often"),
    (job("Suspended=True:JobSuspended:Job suspended", suspend=True), "Suspended", "Job suspended"),
    (job("Suspended=False:JobResumed:Job resumed"), "Progressing", "is running"),  # Argo CD: Healthy
    (job(), "Progressing", "is running"),
    (job("FailureTarget=True:PodFailurePolicy:exit 42"), "Progressing", "exit 42"),
    (cron({}, suspend=True), "Suspended", "is suspended"),  # Argo CD: Healthy (#24428)
    (cron(None), "Progressing", ""),
    (cron({}), "Healthy", "not been scheduled"),
    (cron({"lastScheduleTime": T1}), "Healthy", "not completed a run"),
    (cron({"lastScheduleTime": T2, "lastSuccessfulTime": T1}), "Degraded", T2),
    (cron({"lastScheduleTime": T2, "lastSuccessfulTime": T1, "active": [{}]}), "Healthy", "is running"),
    (cron({"lastScheduleTime": T1, "lastSuccessfulTime": T2}), "Healthy", ""),
    (body("apps/v1", "ReplicaSet", {**SEEN, "availableReplicas": 1}, spec={"replicas": 1}), "Healthy", ""),
    (body("apps/v1", "ReplicaSet", {**SEEN}, spec={"replicas": 1}), "Progressing", "0 of 1"),
    (
        body("apps/v1", "ReplicaSet", {"observedGeneration": 1}, spec={"replicas": 0}),
        "Progressing",
        "new spec",
    ),
    (
        body(
            "apps/v1",
            "ReplicaSet",
            {**SEEN, **conditions("ReplicaFailure=True:FailedCreate:exceeded quota: q")},
        ),
        "Degraded",
        "exceeded quota",
    ),
    (
        body(
            "apps/v1",
            "Deployment",
            {**SEEN, **conditions("ReplicaFailure=True:FailedCreate:exceeded quota: q")},
        ),
        "Progressing",
        "exceeded quota",
    ),
    (body("apps/v1", "StatefulSet", {}, spec={"replicas": 0}), "Progressing", "new spec"),
    (stateful_set({"readyReplicas": 1}), "Progressing", "1 of 2"),
    (stateful_set({"readyReplicas": 2}, updateStrategy={"type": "OnDelete"}), "Healthy", "OnDelete"),
    (stateful_set(conditions("ReplicaFailure=True:FailedCreate:no")), "Degraded", "no"),
    (daemon_set({"desiredNumberScheduled": 3}, updateStrategy={"type": "OnDelete"}), "Healthy", "OnDelete"),
    (daemon_set({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3}), "Progressing", "0 of 3 nodes"),
    (pod("Running", policy="Always", conditions=READY), "Healthy", ""),
    (pod("Running", ENDED), "Degraded", "exit code 1"),
    (pod("Running"), "Progressing", "not ready"),
    (pod("Running", policy="Never", conditions=READY), "Progressing", "to its end"),
    (pod("Running", waiting("CrashLoopBackOff"), policy="OnFailure"), "Progressing", ""),
    (
        pod("Running", waiting("CrashLoopBackOff", restarts=7, exit_code=3)),
        "Degraded",
        "exit code 3, 7 restarts",
    ),
    (pod("Pending", waiting("ImagePullBackOff")), "Degraded", "main: ImagePullBackOff (image web:9)"),
    (
        pod("Pending", waiting("CreateContainerConfigError", message='secret "a" not found')),
        "Degraded",
        'secret "a"',
    ),
    (pod("Pending", waiting("ContainerCreating")), "Progressing", "Pending"),
    (
        pod("Pending", conditions=conditions("PodScheduled=False:Unschedulable:0/3 nodes")["conditions"]),
        "Progressing",
        "Unschedulable: 0/3 nodes",
    ),
    (pod("Failed", OOM, policy="Never"), "Degraded", "OOMKilled"),
    (pod("Failed", message="evicted"), "Degraded", "evicted"),
    (pod("Succeeded"), "Healthy", ""),
    (pod("Unknown"), "Unknown", ""),
    (body("v1", "PersistentVolumeClaim", {"phase": "Bound"}), "Healthy", ""),
    (body("v1", "PersistentVolumeClaim", {"phase": "Pending"}), "Progressing", ""),
    (body("v1", "PersistentVolumeClaim", {"phase": "Lost"}), "Degraded", "lost"),
    (body("v1", "PersistentVolumeClaim", {"phase": "Odd"}), "Unknown", ""),
    (body("v1", "Service", {"loadBalancer": {}}, spec={"type": "ClusterIP"}), "Healthy", ""),
    (body("v1", "Service", {"loadBalancer": {}}, spec={"type": "LoadBalancer"}), "Progressing", ""),
    (body("v1", "Service", LB, spec={"type": "LoadBalancer"}), "Healthy", ""),
    (body("networking.k8s.io/v1", "Ingress", {"loadBalancer": {}}), "Progressing", ""),
    (body("networking.k8s.io/v1", "Ingress", LB), "Healthy", ""),
    (hpa("AbleToScale", "ScalingActive=False:FailedGetResourceMetric:no metrics"), "Degraded", "no metrics"),
    (hpa("AbleToScale=True:ReadyForNewScale:ok", "ScalingActive=False:ScalingDisabled"), "Healthy", "ok"),
    (hpa("ScalingActive"), "Progressing", ""),
    (hpa_v1({"type": "AbleToScale", "status": "True"}), "Healthy", ""),
    (
        hpa_v1({"type": "AbleToScale", "status": "False", "reason": "FailedGetScale"}),
        "Degraded",
        "FailedGetScale",
    ),
    (body("autoscaling/v1", "HorizontalPodAutoscaler", {}), "Progressing", ""),
    (
        body("policy/v1", "PodDisruptionBudget", conditions("DisruptionAllowed=False:InsufficientPods")),
        "Healthy",
        "",
    ),
    (
        body("policy/v1", "PodDisruptionBudget", conditions("DisruptionAllowed=False:SyncFailed:x")),
        "Degraded",
        "x",
    ),
    (body("policy/v1", "PodDisruptionBudget", {}), "Progressing", ""),
    (body("apiregistration.k8s.io/v1", "APIService", conditions("Available")), "Healthy", ""),
    (
        body("apiregistration.k8s.io/v1", "APIService", conditions("Available=False:MissingEndpoints:none")),
        "Progressing",
        "none",
    ),
    (body("v1", "Namespace", {"phase": "Active"}), "Healthy", ""),
    (body("v1", "Namespace", {"phase": "Terminating"}), "Progressing", "Terminating"),
    (body("rbac.authorization.k8s.io/v1", "Role"), "Healthy", ""),
    (body("v1", "ConfigMap", conditions("Ready=False")), "Healthy", ""),
]
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
EXTENSIONS: list[tuple[dict[str, Any], str, str]] = [
    (body(*CRD, conditions("NamesAccepted", "Established")), "Healthy", ""),
    (body(*CRD, conditions("NamesAccepted", "Established=False:Installing")), "Progressing", "installed"),
    (body(*CRD, conditions("NamesAccepted", "Established=False:Other:why")), "Degraded", "why"),
    (body(*CRD, conditions("NamesAccepted=False:Conflict:taken", "Established")), "Degraded", "taken"),
    (body(*CRD, conditions("NonStructuralSchema=True:V:bad", "Established")), "Degraded", "bad"),
    (body(*CRD, conditions("Terminating=True:T:waits", "Established")), "Progressing", "waits"),
    (body(*CRD, {}), "Progressing", ""),
]
OTHER = ("example.com/v1", "Widget")
CONVENTIONS: list[tuple[dict[str, Any], str, str]] = [
    (body(*OTHER), "Healthy", ""),
    (body(*OTHER, {}), "Healthy", ""),
    (body(*OTHER, {"observedGeneration": 1}), "Progressing", "new spec"),
    (body(*OTHER, conditions("Ready", **SEEN)), "Healthy", ""),
    (body(*OTHER, conditions("Ready=False:Waiting:for disk")), "Progressing", "for disk"),
    (body(*OTHER, conditions("Ready=Unknown:Waiting")), "Progressing", "Waiting"),
    (body(*OTHER, conditions("Ready", "Reconciling=True:R:rolling")), "Progressing", "rolling"),
    (body(*OTHER, conditions("Ready", "Stalled=True:S:stuck", "Reconciling")), "Degraded", "stuck"),
    (
        body(*OTHER, {"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}),
        "Progressing",
        "new spec",
    ),
]


@pytest.mark.parametrize(("live", "status", "message"), [*TABLE, *EXTENSIONS, *CONVENTIONS])
def test_each_kind_by_its_rule(live: dict[str, Any], status: str, message: str) -> None:
    health = health_of(live)
    assert health.status.value == status
    assert message in health.message


def test_kinds_of_kubernetes_without_a_rule_are_not_waited_for() -> None:
    assert not has_rule("rbac.authorization.k8s.io", "Role")
    assert not has_rule("networking.k8s.io", "NetworkPolicy")
    assert has_rule("example.com", "Widget")
    assert has_rule("", "Service")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "True", "Ready", "Pending", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["conditions", "phase", "type", "status", "loadBalancer", "containerStatuses", "state"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
KINDS = sorted(
    {(str(live["apiVersion"]), str(live["kind"])) for live, _, _ in [*TABLE, *EXTENSIONS, *CONVENTIONS]}
)


@given(kind=st.sampled_from(KINDS), spec=JSON, status=JSON, metadata=JSON)
def test_no_shape_of_an_object_makes_it_raise(
    kind: tuple[str, str], spec: Any, status: Any, metadata: Any
) -> None:
    live = {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": spec, "status": status}
    assert health_of(live).status in HealthStatus
