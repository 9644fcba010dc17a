"""The API versions under which each built-in kind has been served.

A Resource carries every other version as a type alias: without them, moving an HPA from ``autoscaling/v1``
to ``v2`` in Git makes the Pulumi engine create one and then delete the same live object. Kinds with one
version are left out. Source: the type aliases and modules of pulumi-kubernetes 4.34.
"""

from __future__ import annotations

VERSIONS: dict[str, tuple[str, ...]] = {
    "APIService": (
        "apiregistration.k8s.io/v1",
        "apiregistration.k8s.io/v1beta1",
        "apiregistration/v1",
        "apiregistration/v1beta1",
    ),
    "CSIDriver": ("storage.k8s.io/v1", "storage.k8s.io/v1beta1"),
    "CSINode": ("storage.k8s.io/v1", "storage.k8s.io/v1beta1"),
    "CSIStorageCapacity": ("storage.k8s.io/v1", "storage.k8s.io/v1alpha1", "storage.k8s.io/v1beta1"),
    "CertificateSigningRequest": ("certificates.k8s.io/v1", "certificates.k8s.io/v1beta1"),
    "ClusterRole": (
        "rbac.authorization.k8s.io/v1",
        "rbac.authorization.k8s.io/v1alpha1",
        "rbac.authorization.k8s.io/v1beta1",
    ),
    "ClusterRoleBinding": (
        "rbac.authorization.k8s.io/v1",
        "rbac.authorization.k8s.io/v1alpha1",
        "rbac.authorization.k8s.io/v1beta1",
    ),
    "ClusterTrustBundle": (
        "certificates.k8s.io/v1",
        "certificates.k8s.io/v1alpha1",
        "certificates.k8s.io/v1beta1",
    ),
    "ControllerRevision": ("apps/v1", "apps/v1beta1", "apps/v1beta2"),
    "CronJob": ("batch/v1", "batch/v1beta1", "batch/v2alpha1"),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"),
    "DaemonSet": ("apps/v1", "apps/v1beta2", "extensions/v1beta1"),
    "Deployment": ("apps/v1", "apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"),
    "DeviceClass": (
        "resource.k8s.io/v1",
        "resource.k8s.io/v1alpha3",
        "resource.k8s.io/v1beta1",
        "resource.k8s.io/v1beta2",
    ),
    "DeviceTaintRule": ("resource.k8s.io/v1", "resource.k8s.io/v1alpha3", "resource.k8s.io/v1beta2"),
    "EndpointSlice": ("discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"),
    "Event": ("core/v1", "events.k8s.io/v1", "events.k8s.io/v1beta1"),
    "FlowSchema": (
        "flowcontrol.apiserver.k8s.io/v1",
        "flowcontrol.apiserver.k8s.io/v1alpha1",
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "flowcontrol.apiserver.k8s.io/v1beta3",
    ),
    "HorizontalPodAutoscaler": (
        "autoscaling/v1",
        "autoscaling/v2",
        "autoscaling/v2beta1",
        "autoscaling/v2beta2",
    ),
    "IPAddress": ("networking.k8s.io/v1", "networking.k8s.io/v1alpha1", "networking.k8s.io/v1beta1"),
    "Ingress": ("extensions/v1beta1", "networking.k8s.io/v1", "networking.k8s.io/v1beta1"),
    "IngressClass": ("networking.k8s.io/v1", "networking.k8s.io/v1beta1"),
    "Lease": ("coordination.k8s.io/v1", "coordination.k8s.io/v1beta1"),
    "LeaseCandidate": (
        "coordination.k8s.io/v1alpha1",
        "coordination.k8s.io/v1alpha2",
        "coordination.k8s.io/v1beta1",
    ),
    "MutatingAdmissionPolicy": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.k8s.io/v1alpha1",
        "admissionregistration.k8s.io/v1beta1",
    ),
    "MutatingAdmissionPolicyBinding": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.k8s.io/v1alpha1",
        "admissionregistration.k8s.io/v1beta1",
    ),
    "MutatingWebhookConfiguration": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.k8s.io/v1beta1",
    ),
    "NetworkPolicy": ("extensions/v1beta1", "networking.k8s.io/v1"),
    "PodCertificateRequest": ("certificates.k8s.io/v1", "certificates.k8s.io/v1beta1"),
    "PodDisruptionBudget": ("policy/v1", "policy/v1beta1"),
    "PodGroup": ("scheduling.k8s.io/v1alpha2", "scheduling.k8s.io/v1alpha3", "scheduling.k8s.io/v1beta1"),
    "PodSchedulingContext": ("resource.k8s.io/v1alpha2", "resource.k8s.io/v1alpha3"),
    "PodSecurityPolicy": ("extensions/v1beta1", "policy/v1beta1"),
    "PriorityClass": ("scheduling.k8s.io/v1", "scheduling.k8s.io/v1alpha1", "scheduling.k8s.io/v1beta1"),
    "PriorityLevelConfiguration": (
        "flowcontrol.apiserver.k8s.io/v1",
        "flowcontrol.apiserver.k8s.io/v1alpha1",
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "flowcontrol.apiserver.k8s.io/v1beta3",
    ),
    "ReplicaSet": ("apps/v1", "apps/v1beta2", "extensions/v1beta1"),
    "ResourceClaim": (
        "resource.k8s.io/v1",
        "resource.k8s.io/v1alpha1",
        "resource.k8s.io/v1alpha2",
        "resource.k8s.io/v1alpha3",
        "resource.k8s.io/v1beta1",
        "resource.k8s.io/v1beta2",
    ),
    "ResourceClaimTemplate": (
        "resource.k8s.io/v1",
        "resource.k8s.io/v1alpha1",
        "resource.k8s.io/v1alpha2",
        "resource.k8s.io/v1alpha3",
        "resource.k8s.io/v1beta1",
        "resource.k8s.io/v1beta2",
    ),
    "ResourceClass": ("resource.k8s.io/v1alpha1", "resource.k8s.io/v1alpha2"),
    "ResourceSlice": (
        "resource.k8s.io/v1",
        "resource.k8s.io/v1alpha2",
        "resource.k8s.io/v1alpha3",
        "resource.k8s.io/v1beta1",
        "resource.k8s.io/v1beta2",
    ),
    "Role": (
        "rbac.authorization.k8s.io/v1",
        "rbac.authorization.k8s.io/v1alpha1",
        "rbac.authorization.k8s.io/v1beta1",
    ),
    "RoleBinding": (
        "rbac.authorization.k8s.io/v1",
        "rbac.authorization.k8s.io/v1alpha1",
        "rbac.authorization.k8s.io/v1beta1",
    ),
    "RuntimeClass": ("node.k8s.io/v1", "node.k8s.io/v1alpha1", "node.k8s.io/v1beta1"),
    "ServiceCIDR": ("networking.k8s.io/v1", "networking.k8s.io/v1alpha1", "networking.k8s.io/v1beta1"),
    "StatefulSet": ("apps/v1", "apps/v1beta1", "apps/v1beta2"),
    "StorageClass": ("storage.k8s.io/v1", "storage.k8s.io/v1beta1"),
    "StorageVersionMigration": (
        "storagemigration.k8s.io/v1",
        "storagemigration.k8s.io/v1alpha1",
        "storagemigration.k8s.io/v1beta1",
    ),
    "ValidatingAdmissionPolicy": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.k8s.io/v1alpha1",
        "admissionregistration.k8s.io/v1beta1",
    ),
    "ValidatingAdmissionPolicyBinding": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.k8s.io/v1alpha1",
        "admissionregistration.k8s.io/v1beta1",
    ),
    "ValidatingWebhookConfiguration": (
        "admissionregistration.k8s.io/v1",
        "admissionregistration.k8s.io/v1beta1",
    ),
    "VolumeAttachment": ("storage.k8s.io/v1", "storage.k8s.io/v1alpha1", "storage.k8s.io/v1beta1"),
    "VolumeAttributesClass": ("storage.k8s.io/v1", "storage.k8s.io/v1alpha1", "storage.k8s.io/v1beta1"),
    "Workload": (
        "scheduling.k8s.io/v1alpha1",
        "scheduling.k8s.io/v1alpha2",
        "scheduling.k8s.io/v1alpha3",
        "scheduling.k8s.io/v1beta1",
    ),
}
"""By kind: ``group/version`` as type tokens spell it (``core`` for the core group)."""
