"""Replicas that an autoscaler sets: whether they are at stake for an object, and which autoscaler targets it.

HorizontalPodAutoscalers, and ScaledObjects of KEDA (which makes a HorizontalPodAutoscaler only once it is there).
"""

from __future__ import annotations

from collections.abc import Iterable

from fleetmgr.engine.holding import Held, below
from fleetmgr.model.jsontypes import JsonObject, child, is_object, object_at
from fleetmgr.model.objects import GroupKind, ObjectRef, ref_of, split_api_version

AUTOSCALERS = (GroupKind("autoscaling", "HorizontalPodAutoscaler"), GroupKind("keda.sh", "ScaledObject"))
REPLICAS = "/spec/replicas"
_WRITERS = frozenset({"kube-controller-manager", "horizontal-pod-autoscaler", "keda-operator", "keda"})


def at_stake(desired: JsonObject, live: JsonObject, held: Held) -> bool:
    """Whether an apply would set the replicas of ``live``: Git names another number, or none while we hold them.

    No autoscaler brings a workload back from zero, so a zero that Git does not want is no autoscaler's.
    """
    now, wanted = child(live, "spec", "replicas"), child(desired, "spec", "replicas")
    if not isinstance(now, int) or not is_object(desired.get("spec")):
        return False
    if wanted is None:
        return below(below(held.ours, "spec"), "replicas") is not None
    return wanted != now and now > 0


def autoscaler_of(target: ObjectRef, bodies: Iterable[JsonObject]) -> str | None:
    """``HorizontalPodAutoscaler web``: the first of ``bodies``, autoscalers of its namespace, that targets it."""
    for body in bodies:
        reference = object_at(body, "spec", "scaleTargetRef")
        kind = reference.get("kind") or "Deployment"
        group, _ = split_api_version(str(reference.get("apiVersion") or "apps/v1"))
        if (group, kind, reference.get("name")) == (target.group, target.kind, target.name):
            ref = ref_of(body)
            return f"{ref.kind} {ref.name}"
    return None


def scaled_by(held: Held) -> str | None:
    """The autoscaler's field manager, where the replicas were last set by one: all that is known where autoscalers
    may not be listed."""
    for entry in held.others:
        written = below(below(entry.fields, "spec"), "replicas") is not None
        if entry.subresource == "scale" and entry.manager in _WRITERS and written:
            return entry.manager
    return None
