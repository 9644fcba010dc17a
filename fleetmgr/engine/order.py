"""In which order objects of one app are written: what others need comes first. Deletes go backwards.

The ranks are those of Helm's InstallOrder (helm.sh/helm/v4 pkg/release/v1/util/kind_sorter.go), folded into
groups whose members do not need each other.

Before the kind comes what the objects themselves say (``model.ordering``): waves as in Argo CD, and inside a wave
dependencies as in cli-utils. Each step of that order must be Healthy before the next one begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fleetmgr.model.objects import ObjectKey, ObjectRef
from fleetmgr.model.ordering import Ordering


def backwards(apps: Iterable[str], needs: Mapping[str, Sequence[str]]) -> list[str]:
    """``apps`` and all that they need, those that need others first; elsewhere the other way round than given."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    todo = [(app, False) for app in reversed(list(apps))]
    while todo:
        app, ready = todo.pop()
        if ready:
            found[app] = None
        elif app not in seen:
            seen.add(app)
            todo.append((app, True))
            todo += [(other, False) for other in reversed(needs.get(app, ()))]
    return list(reversed(found))


_GROUPS: tuple[tuple[str, ...], ...] = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("PriorityClass", "RuntimeClass", "StorageClass", "IngressClass", "CSIDriver"),
    ("NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget"),
    ("ServiceAccount", "Secret", "ConfigMap", "PersistentVolume"),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding", "PersistentVolumeClaim"),
    ("Service",),
    (
        "DaemonSet",
        "Deployment",
        "StatefulSet",
        "ReplicaSet",
        "ReplicationController",
        "Pod",
        "Job",
        "CronJob",
    ),
    ("HorizontalPodAutoscaler", "Ingress", "APIService"),
    ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding"),
)
_RANK = {kind: rank for rank, kinds in enumerate(_GROUPS) for kind in kinds}
_UNKNOWN = _RANK["HorizontalPodAutoscaler"]
"""Custom resources: after workloads (their operators), before webhooks."""


def rank(ref: ObjectRef) -> int:
    """0 = first. Kinds of one rank may be written at the same time."""
    builtin = "." not in ref.group or ref.group.endswith(".k8s.io")
    return _RANK.get(ref.kind, _UNKNOWN) if builtin else _UNKNOWN


def stages(refs: Iterable[ObjectRef]) -> list[list[ObjectRef]]:
    """References grouped by rank, first rank first, sorted inside."""
    by_rank: dict[int, list[ObjectRef]] = {}
    for ref in refs:
        by_rank.setdefault(rank(ref), []).append(ref)
    return [sorted(by_rank[r]) for r in sorted(by_rank)]


def steps(objects: Iterable[tuple[ObjectRef, Ordering]]) -> list[list[ObjectRef]]:
    """References in the order of their waves, lowest first; inside a wave an object comes after those that it depends
    on, as far as they are among ``objects``. Rendering has refused cycles."""
    placed = {ref.key: (ref, ordering) for ref, ordering in objects}
    levels: dict[ObjectKey, int] = {}
    by_turn: dict[tuple[int, int], list[ObjectRef]] = {}
    for key in sorted(placed):
        ref, ordering = placed[key]
        by_turn.setdefault((ordering.wave, _level(key, placed, levels)), []).append(ref)
    return [sorted(by_turn[turn]) for turn in sorted(by_turn)]


def _level(
    start: ObjectKey, placed: Mapping[ObjectKey, tuple[ObjectRef, Ordering]], levels: dict[ObjectKey, int]
) -> int:
    """How many objects of the same wave come before one, in the longest chain."""
    todo = [start]
    entered: set[ObjectKey] = set()
    while todo:
        key = todo[-1]
        wave = placed[key][1].wave
        before = [k for k in placed[key][1].depends_on if k in placed and placed[k][1].wave == wave]
        # entered and without a level is on the way here: a circle, which only a live object edited by hand can hold
        unknown = [k for k in before if k not in levels and k not in entered]
        entered.add(key)
        if unknown:
            todo += unknown
            continue
        levels[key] = max((levels.get(k, -1) for k in before), default=-1) + 1
        todo.pop()
    return levels[start]
