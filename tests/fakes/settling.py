"""What controllers would write, for tests that wait: statuses of healthy objects, EndpointSlices of Services."""

from __future__ import annotations

from collections.abc import Callable

from fleetmgr.model.jsontypes import JsonObject, child, object_at


def status_of(body: JsonObject) -> JsonObject | None:
    """The status of a healthy object of that kind, or None where the fake knows none."""
    build = _STATUSES.get(str(body.get("kind")))
    return build(body) if build is not None else None


def _replicas(body: JsonObject) -> int:
    value = child(body, "spec", "replicas")
    return value if isinstance(value, int) else 1


def _deployment(body: JsonObject) -> JsonObject:
    count = _replicas(body)
    return {
        "observedGeneration": body["metadata"].get("generation", 1),
        "replicas": count,
        "updatedReplicas": count,
        "readyReplicas": count,
        "availableReplicas": count,
        "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    }


def _stateful_set(body: JsonObject) -> JsonObject:
    count = _replicas(body)
    return {
        "observedGeneration": body["metadata"].get("generation", 1),
        "replicas": count,
        "currentReplicas": count,
        "updatedReplicas": count,
        "readyReplicas": count,
        "availableReplicas": count,
        "currentRevision": "r1",
        "updateRevision": "r1",
    }


def _daemon_set(body: JsonObject) -> JsonObject:
    counts = (
        "currentNumberScheduled",
        "desiredNumberScheduled",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberReady",
    )
    return {
        "observedGeneration": body["metadata"].get("generation", 1),
        "numberMisscheduled": 0,
        **dict.fromkeys(counts, 1),
    }


def _job(_body: JsonObject) -> JsonObject:
    return {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}


def _pod(_body: JsonObject) -> JsonObject:
    return {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


def _claim(_body: JsonObject) -> JsonObject:
    return {"phase": "Bound"}


def _namespace(_body: JsonObject) -> JsonObject:
    return {"phase": "Active"}


def _definition(body: JsonObject) -> JsonObject:
    names = object_at(body, "spec", "names")
    conditions = [{"type": kind, "status": "True"} for kind in ("NamesAccepted", "Established")]
    return {"acceptedNames": dict(names), "conditions": conditions}


def _api_service(_body: JsonObject) -> JsonObject:
    return {"conditions": [{"type": "Available", "status": "True"}]}


def _budget(body: JsonObject) -> JsonObject:
    return {
        "observedGeneration": body["metadata"].get("generation", 1),
        "currentHealthy": 1,
        "disruptionsAllowed": 1,
    }


_STATUSES: dict[str, Callable[[JsonObject], JsonObject]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _deployment,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "Namespace": _namespace,
    "CustomResourceDefinition": _definition,
    "APIService": _api_service,
    "PodDisruptionBudget": _budget,
}


def endpoint_slice(service: JsonObject) -> JsonObject:
    """The EndpointSlice of a Service: it copies the Service's labels, which is why a label proves nothing."""
    metadata = service["metadata"]
    labels = {**object_at(service, "metadata", "labels"), "kubernetes.io/service-name": metadata["name"]}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{metadata['name']}-fake1",
            "namespace": metadata["namespace"],
            "labels": labels,
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
        "ports": [],
    }
