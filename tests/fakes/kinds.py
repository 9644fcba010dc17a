"""The kinds that the fake cluster serves from the start, and those that a CRD adds."""

from __future__ import annotations

from fleetmgr.model.jsontypes import JsonObject, array_at, child, is_object, object_at
from fleetmgr.model.objects import GroupKind
from fleetmgr.ports.cluster import ApiResource, Discovery

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

_NAMESPACED = """
v1 ConfigMap configmaps | v1 Secret secrets | v1 Service services | v1 ServiceAccount serviceaccounts
v1 Pod pods | v1 PersistentVolumeClaim persistentvolumeclaims | v1 Endpoints endpoints | v1 Event events
v1 LimitRange limitranges | v1 ResourceQuota resourcequotas
apps/v1 Deployment deployments | apps/v1 StatefulSet statefulsets | apps/v1 DaemonSet daemonsets
apps/v1 ReplicaSet replicasets | batch/v1 Job jobs | batch/v1 CronJob cronjobs
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers
autoscaling/v1 HorizontalPodAutoscaler horizontalpodautoscalers
policy/v1 PodDisruptionBudget poddisruptionbudgets | networking.k8s.io/v1 Ingress ingresses
networking.k8s.io/v1 NetworkPolicy networkpolicies | discovery.k8s.io/v1 EndpointSlice endpointslices
rbac.authorization.k8s.io/v1 Role roles | rbac.authorization.k8s.io/v1 RoleBinding rolebindings
coordination.k8s.io/v1 Lease leases
"""
_CLUSTER = """
v1 Namespace namespaces | v1 Node nodes | v1 PersistentVolume persistentvolumes
rbac.authorization.k8s.io/v1 ClusterRole clusterroles
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions
storage.k8s.io/v1 StorageClass storageclasses | networking.k8s.io/v1 IngressClass ingressclasses
scheduling.k8s.io/v1 PriorityClass priorityclasses
apiregistration.k8s.io/v1 APIService apiservices
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration validatingwebhookconfigurations
"""


def _parsed(table: str, *, namespaced: bool) -> list[ApiResource]:
    found: list[ApiResource] = []
    for row in table.replace("\n", "|").split("|"):
        if row.strip():
            api_version, kind, plural = row.split()
            group, _, version = api_version.rpartition("/")
            found.append(
                ApiResource(
                    group=group, version=version, kind=kind, plural=plural, namespaced=namespaced, verbs=VERBS
                )
            )
    return found


BUILT_IN = (*_parsed(_CLUSTER, namespaced=False), *_parsed(_NAMESPACED, namespaced=True))


def built_in(kind: str) -> ApiResource:
    """The first built-in of that kind, for short tests."""
    return next(resource for resource in BUILT_IN if resource.kind == kind)


def defined_by(crd: JsonObject) -> list[ApiResource]:
    """The kinds that a CustomResourceDefinition serves."""
    spec = object_at(crd, "spec")
    return [
        ApiResource(
            group=str(spec.get("group")),
            version=str(version.get("name")),
            kind=str(child(spec, "names", "kind")),
            plural=str(child(spec, "names", "plural")),
            namespaced=spec.get("scope") == "Namespaced",
            verbs=VERBS,
        )
        for version in array_at(spec, "versions")
        if is_object(version) and version.get("served", True)
    ]


def as_discovery(resources: list[ApiResource], incomplete: tuple[str, ...]) -> Discovery:
    """Discovery of ``resources``; the first version of a kind is its preferred one."""
    preferred: dict[GroupKind, ApiResource] = {}
    for resource in resources:
        preferred.setdefault(resource.group_kind, resource)
    keyed = {(resource.group, resource.version, resource.kind): resource for resource in resources}
    return Discovery(resources=keyed, preferred=preferred, incomplete=incomplete)
