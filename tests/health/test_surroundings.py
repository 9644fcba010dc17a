"""Pods explain workloads; peers show who serves a class; the API shows whether there are metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fleetmgr.health.rules import health_of
from fleetmgr.health.surroundings import in_surroundings
from fleetmgr.model.health import Health
from tests.health.objects import body, conditions, pod, waiting


class Around:
    """What the test says is there."""

    def __init__(
        self, *, pods: Sequence[Any] = (), peers: Sequence[Any] = (), said: Sequence[str] = ()
    ) -> None:
        self._pods, self._peers, self._said = pods, peers, said
        self.groups: set[str] = set()
        self.slices: Sequence[Any] | None = ()

    def pods(self, workload: dict[str, Any]) -> Sequence[Any]:
        assert workload["kind"] != "Ingress"
        return self._pods

    def peers(self, live: dict[str, Any]) -> Sequence[Any]:
        assert live["kind"] in ("Ingress", "Service")
        return self._peers

    def warnings(self, live: dict[str, Any]) -> Sequence[str]:
        assert live["kind"] != "Deployment"
        return self._said

    def endpoints(self, namespace: str, service: str) -> Sequence[Any] | None:
        assert (namespace, service) == ("shop", "hook")
        return self.slices

    def serves(self, group: str) -> bool:
        return group in self.groups


def judged(live: dict[str, Any], around: Around) -> Health:
    return in_surroundings(health_of(live), live, around)


def workload(kind: str) -> dict[str, Any]:
    status = {"observedGeneration": 2, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1}
    return body("apps/v1", kind, {**status, "replicas": 1, "updatedReplicas": 1}, spec={"replicas": 1})


LOOPS = pod("Running", waiting("CrashLoopBackOff", restarts=5, exit_code=2))
STARTS = pod("Running", waiting("CrashLoopBackOff", restarts=1, exit_code=2))
PULLS = pod("Pending", waiting("ErrImagePull", message="not found"))
GIVES_UP = pod("Pending", waiting("ImagePullBackOff", message="back-off"))
NO_NODE = pod(
    "Pending", conditions=conditions("PodScheduled=False:Unschedulable:0/3 nodes are available")["conditions"]
)


@pytest.mark.parametrize(
    ("kind", "one", "status", "message"),
    [
        (
            "StatefulSet",
            LOOPS,
            "Degraded",
            "pod x: container main: CrashLoopBackOff (exit code 2, 5 restarts)",
        ),
        ("DaemonSet", LOOPS, "Degraded", "CrashLoopBackOff"),
        ("StatefulSet", STARTS, "Progressing", "1 restarts"),
        ("StatefulSet", PULLS, "Progressing", "ErrImagePull (image web:9): not found"),
        ("StatefulSet", GIVES_UP, "Degraded", "ImagePullBackOff"),
        ("StatefulSet", NO_NODE, "Progressing", "Unschedulable: 0/3 nodes are available"),
        ("Deployment", LOOPS, "Progressing", "CrashLoopBackOff"),  # has a progress deadline of its own
        ("Deployment", pod("Running"), "Progressing", "0 of 1 replicas available"),
    ],
)
def test_what_pods_say_is_in_the_message(kind: str, one: dict[str, Any], status: str, message: str) -> None:
    health = judged(workload(kind), Around(pods=[one]))
    assert health.status.value == status
    assert message in health.message


def test_the_worst_pod_is_the_one_that_is_told() -> None:
    health = judged(workload("StatefulSet"), Around(pods=[NO_NODE, STARTS, GIVES_UP]))
    assert "ImagePullBackOff" in health.message


def test_a_pod_that_goes_explains_nothing() -> None:
    going = {**LOOPS, "metadata": {**LOOPS["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert judged(workload("StatefulSet"), Around(pods=[going])).status.value == "Progressing"


def test_pods_that_cannot_be_created_degrade_what_has_no_deadline() -> None:
    around = Around(said=["FailedCreate: exceeded quota: pods=2"])
    assert judged(workload("StatefulSet"), around).status.value == "Degraded"
    assert judged(workload("DaemonSet"), around).message.endswith("exceeded quota: pods=2")
    job = judged(body("batch/v1", "Job", {}), around)
    assert (job.status.value, "exceeded quota" in job.message) == ("Progressing", True)


def ingress(named: str = "", *, address: bool = False, **more: Any) -> dict[str, Any]:
    given = [{"ip": "192.0.2.1"}] if address else []
    spec = {"ingressClassName": named} if named else {}
    return body("networking.k8s.io/v1", "Ingress", {"loadBalancer": {"ingress": given}}, spec=spec, **more)


def balanced(*, finalizers: Sequence[str] = ()) -> dict[str, Any]:
    metadata = {"finalizers": list(finalizers)}
    return body("v1", "Service", {"loadBalancer": {}}, spec={"type": "LoadBalancer"}, metadata=metadata)


@pytest.mark.parametrize(
    ("live", "peers", "status"),
    [
        (ingress("nginx"), [ingress("nginx")], "Healthy"),
        (ingress("nginx"), [ingress("nginx", address=True)], "Progressing"),
        (ingress("nginx"), [ingress("traefik", address=True)], "Healthy"),
        (ingress(), [ingress(address=True)], "Progressing"),
        (ingress("alb", metadata={"finalizers": ["ingress.k8s.aws/resources"]}), [], "Progressing"),
        (balanced(), [], "Healthy"),
        (balanced(finalizers=["service.kubernetes.io/load-balancer-cleanup"]), [], "Progressing"),
    ],
)
def test_an_address_is_waited_for_only_where_somebody_gives_one(
    live: dict[str, Any], peers: list[dict[str, Any]], status: str
) -> None:
    health = judged(live, Around(peers=peers))
    assert health.status.value == status
    if status == "Healthy":
        assert "nobody on this cluster serves" in health.message


def test_an_autoscaler_without_a_metrics_api_is_as_good_as_it_can_be() -> None:
    live = body(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        conditions("AbleToScale", "ScalingActive=False:FailedGetResourceMetric:no metrics"),
    )
    around = Around()
    assert "nobody on this cluster serves metrics.k8s.io" in judged(live, around).message
    around.groups.add("metrics.k8s.io")
    assert judged(live, around).status.value == "Degraded"


def test_a_webhook_is_well_once_somebody_is_behind_its_service() -> None:
    hook = {"name": "a.b.c", "clientConfig": {"service": {"namespace": "shop", "name": "hook"}}}
    live: dict[str, Any] = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "check"},
        "webhooks": [hook],
    }
    around = Around()
    found = judged(live, around)
    assert (found.status.value, found.message) == ("Progressing", "Service shop/hook has no ready endpoint")
    around.slices = [{"endpoints": [{"conditions": {"ready": False}}]}]
    assert judged(live, around).status.value == "Progressing"
    around.slices = [{"endpoints": [{"conditions": {"ready": False}}, {"conditions": {"ready": True}}]}]
    assert judged(live, around).status.value == "Healthy"
    around.slices = None
    assert judged(live, around).status.value == "Healthy"
    around.slices = ()
    assert (
        judged({**live, "webhooks": [{**hook, "failurePolicy": "Ignore"}]}, around).status.value == "Healthy"
    )
