"""Custom resources of operators, one line a status, in the words of their controllers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetmgr.health.rules import health_of
from fleetmgr.model.health import HealthStatus
from tests.health.objects import body, conditions

Row = tuple[str, str, dict[str, Any], str, str]
SEEN = {"observedGeneration": 2}
FLUX, CAPI, GATEWAY, ARGO = (
    "toolkit.fluxcd.io/v1",
    "cluster.x-k8s.io/v1beta1",
    "gateway.networking.k8s.io/v1",
    "argoproj.io/v1alpha1",
)


def row(api: str, kind: str, expected: str, told: str, /, *items: str | dict[str, Any], **more: Any) -> Row:
    """``more``: spec, metadata; anything else is a field of status."""
    apart = {key: more.pop(key) for key in ("spec", "metadata") if key in more}
    status = {**(conditions(*items) if items else {}), **more}
    return api, kind, {**apart, "status": status}, expected, told


def parent(*items: str, **more: Any) -> dict[str, Any]:
    return {"parentRef": {"name": "public"}, "ancestorRef": {"name": "public"}, **conditions(*items, **more)}


CERTIFICATES = [
    row("cert-manager.io/v1", "Certificate", "Healthy", "", "Ready"),
    row("cert-manager.io/v1", "Certificate", "Degraded", "no issuer", "Ready=False:DoesNotExist:no issuer"),
    row(
        "cert-manager.io/v1",
        "Certificate",
        "Progressing",
        "renewing",
        "Ready=False",
        "Issuing=True:R:renewing",
    ),
    row("cert-manager.io/v1", "Certificate", "Progressing", "waits"),
    row("cert-manager.io/v1", "ClusterIssuer", "Degraded", "ACME", "Ready=False:E:ACME account"),
    row("cert-manager.io/v1", "CertificateRequest", "Progressing", "Pending", "Ready=False:Pending"),
    row("cert-manager.io/v1", "CertificateRequest", "Degraded", "Failed", "Ready=False:Failed"),
    row("acme.cert-manager.io/v1", "Order", "Degraded", "429", state="errored", reason="429"),
    row("acme.cert-manager.io/v1", "Challenge", "Progressing", "pending", state="pending"),
    row("acme.cert-manager.io/v1", "Order", "Healthy", "", state="valid"),
]
SECRETS = [
    row("external-secrets.io/v1", "ExternalSecret", "Healthy", "", "Ready=True:SecretSynced"),
    row(
        "external-secrets.io/v1",
        "ExternalSecret",
        "Degraded",
        "denied",
        "Ready=False:SecretSyncedError:denied",
    ),
    row("external-secrets.io/v1", "SecretStore", "Progressing", "waits"),
    row(
        "external-secrets.io/v1",
        "ClusterExternalSecret",
        "Degraded",
        "one",
        "Ready",
        "NotReady=True:x:one failed",
    ),
    row("external-secrets.io/v1", "ClusterExternalSecret", "Healthy", "", "NotReady", "Ready"),
    row("bitnami.com/v1alpha1", "SealedSecret", "Degraded", "no key", "Synced=False::no key"),
    row("bitnami.com/v1alpha1", "SealedSecret", "Healthy", "", "Synced"),
]
ARGO_KINDS = [
    row(ARGO, "Rollout", "Suspended", "CanaryPauseStep", phase="Paused", message="CanaryPauseStep"),
    row(ARGO, "Rollout", "Degraded", "aborted", phase="Degraded", message="RolloutAborted: aborted"),
    row(ARGO, "Rollout", "Healthy", "", phase="Healthy", observedGeneration="2"),
    row(ARGO, "Rollout", "Progressing", "new spec", phase="Healthy", observedGeneration="1"),
    row(ARGO, "Rollout", "Degraded", "bad", "InvalidSpec=True:x:bad"),
    row(
        ARGO, "Rollout", "Progressing", "1 of 2", currentPodHash="a", updatedReplicas=1, spec={"replicas": 2}
    ),
    row(ARGO, "AnalysisRun", "Unknown", "Inconclusive", phase="Inconclusive"),
    row(ARGO, "Experiment", "Progressing", "Running", phase="Running"),
    row(ARGO, "Workflow", "Healthy", "", phase="Succeeded"),
    row(ARGO, "Workflow", "Degraded", "child failed", phase="Failed", message="child failed"),
    row(ARGO, "Workflow", "Suspended", "", phase="Running", spec={"suspend": True}),
    row(ARGO, "CronWorkflow", "Suspended", "", spec={"suspend": True}),
    row(ARGO, "CronWorkflow", "Degraded", "cron", "SpecError=True:x:cron"),
    row(ARGO, "EventBus", "Degraded", "no quorum", "Deployed=False:x:no quorum"),
    row(ARGO, "Application", "Degraded", "is Degraded", health={"status": "Degraded"}),
    row(ARGO, "Application", "Progressing", "waits for Argo CD"),
    row(ARGO, "ApplicationSet", "Degraded", "generator", "ErrorOccurred=True:x:generator"),
    row(
        ARGO,
        "ApplicationSet",
        "Progressing",
        "step 2",
        "RolloutProgressing=True:x:step 2",
        "ErrorOccurred=False",
    ),
    row(ARGO, "ApplicationSet", "Healthy", "", "ResourcesUpToDate"),
]
FLUX_KINDS = [
    row(
        f"kustomize.{FLUX}", "Kustomization", "Healthy", "main@1", "Ready=True:ReconciliationSucceeded:main@1"
    ),
    row(f"kustomize.{FLUX}", "Kustomization", "Degraded", "build", "Ready=False:BuildFailed:build"),
    row(f"kustomize.{FLUX}", "Kustomization", "Progressing", "at it", "Ready=Unknown:P:at it", "Reconciling"),
    row(f"helm.{FLUX}", "HelmRelease", "Suspended", "", "Ready", spec={"suspend": True}),
    row(
        f"helm.{FLUX}",
        "HelmRelease",
        "Degraded",
        "retries",
        "Ready=False",
        "Stalled=True:x:retries exhausted",
    ),
    row(f"source.{FLUX}", "GitRepository", "Progressing", "waits for Flux"),
    row(f"source.{FLUX}", "HelmRepository", "Healthy", "", spec={"type": "oci"}),
    row(f"image.{FLUX}", "ImagePolicy", "Progressing", "", "Ready=False", "Reconciling=True:NewGeneration"),
]
INFRASTRUCTURE = [
    row("s3.aws.upbound.io/v1beta1", "Bucket", "Healthy", "", "Synced", "Ready"),
    row("s3.aws.upbound.io/v1beta1", "Bucket", "Degraded", "403", "Synced=False:ReconcileError:403", "Ready"),
    row("s3.aws.upbound.io/v1beta1", "Bucket", "Suspended", "paused", "Synced=False:ReconcilePaused"),
    row("s3.aws.upbound.io/v1beta1", "Bucket", "Progressing", "Creating", "Synced", "Ready=False:Creating"),
    row(
        "pkg.crossplane.io/v1",
        "Provider",
        "Degraded",
        "Unhealthy",
        "Installed",
        "Healthy=False:UnhealthyRevision",
    ),
    row("pkg.crossplane.io/v1", "Provider", "Progressing", "installed"),
    row("apiextensions.crossplane.io/v1", "Composition", "Healthy", ""),
    row(CAPI, "Cluster", "Healthy", "", phase="Provisioned"),
    row(CAPI, "Cluster", "Suspended", "paused", phase="Provisioned", spec={"paused": True}),
    row(
        CAPI,
        "Cluster",
        "Degraded",
        "quota",
        {"type": "Ready", "status": "False", "severity": "Error", "message": "quota"},
        phase="Provisioning",
    ),
    row(CAPI, "Machine", "Progressing", "no bootstrap", "Ready=False:x:no bootstrap", phase="Pending"),
    row(CAPI, "MachineDeployment", "Progressing", "ScalingUp", phase="ScalingUp"),
    row(CAPI, "MachineHealthCheck", "Degraded", "1 of 3", currentHealthy=1, expectedMachines=3),
    row("infrastructure." + CAPI, "AWSCluster", "Degraded", "limit", failureMessage="limit"),
    row("infrastructure." + CAPI, "AWSCluster", "Progressing", "", ready=False),
    row("velero.io/v1", "Backup", "Healthy", "", phase="Completed"),
    row("velero.io/v1", "Backup", "Degraded", "PartiallyFailed", phase="PartiallyFailed"),
    row("velero.io/v1", "Restore", "Progressing", "InProgress", phase="InProgress"),
    row(
        "velero.io/v1",
        "Schedule",
        "Degraded",
        "bad cron",
        phase="FailedValidation",
        validationErrors=["bad cron"],
    ),
    row("velero.io/v1", "Schedule", "Suspended", "", phase="Enabled", spec={"paused": True}),
    row(
        "velero.io/v1",
        "BackupStorageLocation",
        "Degraded",
        "no bucket",
        phase="Unavailable",
        message="no bucket",
    ),
]
TRAFFIC = [
    row("keda.sh/v1alpha1", "ScaledObject", "Suspended", "", "Ready", "Paused"),
    row("keda.sh/v1alpha1", "ScaledObject", "Degraded", "fell back", "Ready", "Fallback=True:x:fell back"),
    row("keda.sh/v1alpha1", "ScaledObject", "Healthy", "", "Ready", "Paused=Unknown"),
    row("keda.sh/v1alpha1", "ScaledJob", "Degraded", "auth", "Ready=Unknown:x:auth"),
    row("networking.istio.io/v1", "VirtualService", "Healthy", ""),
    row(
        "networking.istio.io/v1",
        "VirtualService",
        "Degraded",
        "IST0101",
        validationMessages=[{"level": "ERROR", "type": {"code": "IST0101"}}],
    ),
    row("networking.istio.io/v1", "Gateway", "Progressing", "1/2", "Reconciled=False:x:1/2 proxies"),
    row("install.istio.io/v1alpha1", "IstioOperator", "Degraded", "", status="ERROR"),
    row("install.istio.io/v1alpha1", "IstioOperator", "Healthy", "", status=3),
    row(GATEWAY, "GatewayClass", "Degraded", "bad params", "Accepted=False:x:bad params"),
    row(GATEWAY, "Gateway", "Progressing", "no address", "Accepted", "Programmed=False:x:no address"),
    row(
        GATEWAY,
        "Gateway",
        "Degraded",
        "listener https: no cert",
        "Accepted",
        "Programmed",
        listeners=[{"name": "https", **conditions("ResolvedRefs=False:x:no cert")}],
    ),
    row(GATEWAY, "Gateway", "Healthy", "", "Accepted", "Programmed"),
    row(
        GATEWAY,
        "HTTPRoute",
        "Degraded",
        "parent public: no backend",
        parents=[parent("Accepted", "ResolvedRefs=False:x:no backend")],
    ),
    row(GATEWAY, "HTTPRoute", "Healthy", "", parents=[parent("Accepted", "ResolvedRefs")]),
    row(GATEWAY, "GRPCRoute", "Progressing", "waits", parents=[]),
    row(GATEWAY, "BackendTLSPolicy", "Healthy", "", ancestors=[parent("Accepted")]),
]
PLATFORM = [
    row("monitoring.coreos.com/v1", "Prometheus", "Healthy", "", "Available"),
    row(
        "monitoring.coreos.com/v1",
        "Alertmanager",
        "Progressing",
        "1/2",
        "Available=False:SomePodsNotReady:1/2",
    ),
    row("monitoring.coreos.com/v1", "Prometheus", "Degraded", "none", "Available=False:NoPodReady:none"),
    row("monitoring.coreos.com/v1", "ServiceMonitor", "Healthy", ""),
    row("kafka.strimzi.io/v1beta2", "Kafka", "Healthy", "", "Ready"),
    row("kafka.strimzi.io/v1beta2", "Kafka", "Progressing", "up", "NotReady=True:Creating:coming up"),
    row("kafka.strimzi.io/v1beta2", "KafkaTopic", "Degraded", "partitions", "NotReady=True:x:partitions"),
    row("kafka.strimzi.io/v1beta2", "KafkaUser", "Suspended", "", "Ready", "ReconciliationPaused"),
    row("postgresql.cnpg.io/v1", "Cluster", "Healthy", "", "Ready", phase="Cluster in healthy state"),
    row(
        "postgresql.cnpg.io/v1",
        "Cluster",
        "Progressing",
        "Setting up",
        "Ready=False",
        phase="Setting up primary",
    ),
    row("postgresql.cnpg.io/v1", "Cluster", "Degraded", "", "Ready=False", phase="Failing over"),
    row("postgresql.cnpg.io/v1", "Cluster", "Suspended", "off", "cnpg.io/hibernation=True:x:off"),
    row("postgresql.cnpg.io/v1", "Backup", "Degraded", "s3", phase="failed", error="s3"),
    row(
        "serving.knative.dev/v1",
        "Service",
        "Healthy",
        "",
        "ConfigurationsReady",
        "RoutesReady",
        "Ready",
        **SEEN,
    ),
    row("serving.knative.dev/v1", "Service", "Degraded", "no image", "Ready=False:x:no image", **SEEN),
    row("serving.knative.dev/v1", "Route", "Progressing", "", "Ready=Unknown", **SEEN),
    row(
        "operator.knative.dev/v1beta1", "KnativeServing", "Progressing", "", "InstallSucceeded", "Ready=False"
    ),
    row("serving.kserve.io/v1beta1", "InferenceService", "Healthy", "", "Ready", "Stopped=False"),
    row("serving.kserve.io/v1beta1", "InferenceService", "Suspended", "", "Ready=False", "Stopped"),
    row(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        "Degraded",
        "BlockedByFailedLoad",
        "Ready=False",
        modelStatus={"transitionStatus": "BlockedByFailedLoad"},
    ),
    row(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        "Progressing",
        "PredictorReady",
        "PredictorReady=False",
    ),
    row("ray.io/v1", "RayCluster", "Healthy", "", state="ready", **SEEN),
    row("ray.io/v1", "RayCluster", "Degraded", "no memory", state="failed", reason="no memory"),
    row(
        "ray.io/v1",
        "RayJob",
        "Degraded",
        "ended as FAILED",
        jobDeploymentStatus="Complete",
        jobStatus="FAILED",
    ),
    row("ray.io/v1", "RayJob", "Progressing", "Running", jobDeploymentStatus="Running"),
    row("ray.io/v1", "RayService", "Healthy", "", "Ready", **SEEN),
    row("ray.io/v1", "RayService", "Progressing", "WaitFor", serviceStatus="WaitForServeDeploymentReady"),
]
EVERY = [*CERTIFICATES, *SECRETS, *ARGO_KINDS, *FLUX_KINDS, *INFRASTRUCTURE, *TRAFFIC, *PLATFORM]


@pytest.mark.parametrize(("api", "kind", "rest", "expected", "message"), EVERY)
def test_each_status_of_an_operator(
    api: str, kind: str, rest: dict[str, Any], expected: str, message: str
) -> None:
    health = health_of(body(api, kind, **rest))
    assert health.status.value == expected
    assert message in health.message


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "True", "Ready", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["conditions", "phase", "type", "status", "parents", "listeners", "health"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(kind=st.sampled_from(sorted({(api, kind) for api, kind, *_ in EVERY})), status=SHAPES, spec=SHAPES)
def test_no_status_makes_a_rule_raise(kind: tuple[str, str], status: Any, spec: Any) -> None:
    live = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "x"}, "spec": spec, "status": status}
    assert health_of(live).status in HealthStatus
