"""A Plan as plain data: the shape that ``fleet plan -o json`` promises to scripts."""

from __future__ import annotations

from collections import Counter

from fleetmgr.model.change import (
    EMBEDDED,
    Change,
    ClusterPlan,
    ClusterStatus,
    FieldDiff,
    Op,
    Plan,
    Verb,
    Writer,
)
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import ObjectRef
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.clusters import cluster_data
from fleetmgr.reporting.extra import extra_data
from fleetmgr.reporting.left import left_data
from fleetmgr.reporting.problems import API_VERSION
from fleetmgr.reporting.redaction import hides
from fleetmgr.reporting.refusals import refusal_data
from fleetmgr.reporting.rollout import rollout_data


def plan_data(
    plan: Plan, verdict: Verdict, *, unchanged: bool = False, noise: bool = False, kind: str = "Plan"
) -> JsonObject:
    """Kind ``Plan``, or ``Drift`` for a plan of drift. ``keep`` is counted; listed with ``unchanged``, and what of it
    is noise with ``noise``."""
    data: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "id": plan.id,
        "fleet": plan.fleet,
        "revision": plan.revision,
        "partial": plan.partial,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "summary": _summary(plan),
        "clusters": [_cluster(c, verdict, unchanged=unchanged, noise=noise) for c in plan.clusters],
    }
    if plan.verb is Verb.DESTROY:
        data["verb"] = plan.verb.value
    if plan.refusals:
        data["refusals"] = [refusal_data(refusal) for refusal in plan.refusals]
    if plan.rollout is not None:
        data["rollout"] = rollout_data(plan.rollout)
    return data


def _summary(plan: Plan) -> JsonObject:
    statuses = Counter(cluster.status for cluster in plan.clusters)
    changes = [change for cluster in plan.clusters for change in cluster.changes]
    ops = Counter(change.op for change in changes)
    return {
        "clusters": len(plan.clusters),
        **{status.value: statuses[status] for status in ClusterStatus},
        **{op.value: ops[op] for op in Op},
        "unverified": sum(1 for change in changes if change.unverified),
        "drift": sum(1 for change in changes if change.drift),
        "left": sum(len(change.left) for change in changes),
        "noise": sum(1 for change in changes if change.noise is not None),
    }


def _cluster(cluster: ClusterPlan, verdict: Verdict, *, unchanged: bool, noise: bool) -> JsonObject:
    data: JsonObject = {**cluster_data(cluster, verdict), "status": cluster.status.value}
    if cluster.engine != EMBEDDED:
        data["engine"] = cluster.engine
    if cluster.owned:
        data["owned"] = dict(cluster.owned)
    if cluster.first_contact:
        data["firstContact"] = True
    if cluster.warnings:
        data["warnings"] = list(cluster.warnings)
    data["changes"] = [
        change_data(c)
        for c in cluster.changes
        if unchanged or c.op is not Op.KEEP or c.left or c.extra or (noise and c.noise is not None)
    ]
    return data


def change_data(change: Change) -> JsonObject:
    """One change; optional keys only where they say something."""
    data: JsonObject = {
        "op": change.op.value,
        "app": change.app,
        **object_data(change.ref),
        "diff": [_diff(change.ref, diff) for diff in change.diff],
    }
    optional: JsonObject = {
        "reason": change.reason,
        "unverified": change.unverified or None,
        "drift": change.drift or None,
        "driftSince": change.drift_since,
        "driftBy": _writer(change.drift_by) if change.drift_by else None,
        "needsConfirmation": change.needs.value if change.needs else None,
        "writer": change.writer,
        "takesOver": list(change.adoption.managers) if change.adoption else None,
        "immutable": _immutable(change),
        "forced": change.forced or None,
        "hook": {"phase": change.hook.phase, "wave": change.hook.wave} if change.hook else None,
        "noise": change.noise.value if change.noise else None,
        "extra": [extra_data(change.ref, field) for field in change.extra] or None,
        "left": [left_data(change.ref, left) for left in change.left] or None,
        "origin": str(change.origin) if change.origin else None,
    }
    return data | {key: value for key, value in optional.items() if value is not None}


def _writer(writer: Writer) -> JsonObject:
    known: JsonObject = {"manager": writer.manager, "through": writer.through, "at": writer.at}
    return {key: value for key, value in known.items() if value}


def _immutable(change: Change) -> list[str] | None:
    return list(change.replacement.fields) or None if change.replacement else None


def object_data(ref: ObjectRef) -> JsonObject:
    """``resource`` as one string and ``object`` in parts."""
    return {"resource": str(ref), "object": ref._asdict()}


def _diff(ref: ObjectRef, diff: FieldDiff) -> JsonObject:
    if hides(ref, diff):
        return {"path": diff.path, "sensitive": True}
    reset: JsonObject = {"reset": True} if diff.reset else {}
    return {"path": diff.path, "old": diff.old, "new": diff.new, **reset}
