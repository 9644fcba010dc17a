"""Health of 10,000 objects at most 1 s: Deployments, Pods, Ingresses, Certificates and kinds without a rule."""

from __future__ import annotations

import resource
import time
from typing import Any

from fleetmgr.health.custom import CustomRules
from fleetmgr.health.rules import health_of
from fleetmgr.spec.health import KindHealth

OBJECTS = 10_000
LIMIT = 1.0
RULES = [
    {
        "group": "example.com",
        "kind": "Widget",
        "rules": [
            {
                "status": "Degraded",
                "when": "self.status.conditions.exists(c, c.type == 'Ready' && c.status != 'True')",
            }
        ],
        "default": "Healthy",
    }
]


def main() -> None:
    """Print the table; exit with an error when the limit does not hold."""
    mixed = [_object(number, "other.example.com") for number in range(OBJECTS)]
    ruled = [_object(5 * number, "example.com") for number in range(OBJECTS)]
    print(f"{'health of 10,000 objects':<40}{'seconds':>10}{'us each':>10}{'MB':>8}")
    slowest = max(
        _measure("built-in rules and conventions, mixed", mixed, CustomRules()),
        _measure("one CEL rule for each", ruled, CustomRules(KindHealth.model_validate(r) for r in RULES)),
    )
    print(f"limit {LIMIT:.1f} s: {'holds' if slowest <= LIMIT else 'DOES NOT HOLD'}")
    if slowest > LIMIT:
        raise SystemExit(1)


def _measure(name: str, objects: list[dict[str, Any]], custom: CustomRules) -> float:
    started = time.perf_counter()
    for live in objects:
        health_of(live, custom)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<40}{seconds:>10.3f}{seconds / len(objects) * 1e6:>10.1f}{peak:>8.0f}")
    return seconds


def _object(number: int, group: str) -> dict[str, Any]:
    """One of five kinds, as an API server answers it."""
    ready = [{"type": "Ready", "status": "True", "reason": "Fine", "message": "as it should be"}]
    metadata = {"name": f"x-{number}", "namespace": "shop", "generation": 2, "labels": {"app": "x"}}
    api, kind, spec, status = (
        (f"{group}/v1", "Widget", {}, {"conditions": ready}),
        (
            "apps/v1",
            "Deployment",
            {"replicas": 2},
            {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2},
        ),
        ("v1", "Pod", {"restartPolicy": "Always"}, {"phase": "Running", "conditions": ready}),
        ("networking.k8s.io/v1", "Ingress", {}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}),
        ("cert-manager.io/v1", "Certificate", {"dnsNames": ["x"]}, {"conditions": ready}),
    )[number % 5]
    status = {"observedGeneration": 2, **status}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


if __name__ == "__main__":
    main()
