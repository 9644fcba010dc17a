"""``fleet status``: apps x clusters, with the clusters that did not answer as plain to see as the others."""

from __future__ import annotations

from collections import Counter

from fleetmgr.model.enumeration import counted
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import ClusterState, FleetStatus, SyncStatus, TargetStatus
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.clusters import cluster_data
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_data import object_data
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import API_VERSION, failure_lines
from fleetmgr.reporting.status_matrix import matrix, version
from fleetmgr.reporting.style import HEALTH_COLOURS, PLAIN, Paint
from fleetmgr.reporting.wording import code_name, names

WIDTH = 100
"""Columns where there is no terminal to fit."""


def status_text(status: FleetStatus, *, paint: Paint = PLAIN, width: int = WIDTH) -> str:
    """App x cluster in at most ``width`` columns where that can be, then what is wrong where."""
    targets = [target for cluster in status.clusters for target in cluster.targets]
    lines = [paint("bold", _headline(status, targets)), ""]
    if targets:
        lines += [*matrix(status, width=width, paint=paint), ""]
    lines += _messages(targets, paint)
    for cluster in status.clusters:
        lines += _failure(cluster, paint)
    return "\n".join(lines).rstrip("\n") + "\n"


def status_data(status: FleetStatus, verdict: Verdict) -> JsonObject:
    """Kind ``Status``."""
    targets = [target for cluster in status.clusters for target in cluster.targets]
    sync = Counter(target.sync for target in targets)
    health = Counter(target.health.status for target in targets)
    return {
        "apiVersion": API_VERSION,
        "kind": "Status",
        "fleet": status.fleet,
        "revision": status.revision,
        "at": status.at,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "summary": {
            "clusters": len(status.clusters),
            "unreachable": sum(1 for c in status.clusters if c.failure is not None),
            "targets": len(targets),
            "sync": {s.value: sync[s] for s in SyncStatus},
            "health": {s.value: health[s] for s in HealthStatus},
        },
        "clusters": [_cluster_data(cluster, verdict) for cluster in status.clusters],
    }


def _headline(status: FleetStatus, targets: list[TargetStatus]) -> str:
    """``Fleet shop at 3f2a: 3 clusters, 1 unreachable; 4 apps on clusters: 3 synced, 4 healthy``."""
    failed = Counter(code_name(c.failure.exit_code) for c in status.clusters if c.failure)
    parts = [
        counted(len(status.clusters), "cluster"),
        *(f"{n} {state}" for state, n in sorted(failed.items())),
    ]
    synced = sum(1 for target in targets if target.sync is SyncStatus.SYNCED)
    healthy = sum(1 for target in targets if target.health.status is HealthStatus.HEALTHY)
    at = f" at {visible(short_revision(status.revision))}" if status.revision else ""
    apps = f"{counted(len(targets), 'target')}, {synced} synced, {healthy} healthy"
    return f"Fleet {visible(status.fleet)}{at}: {', '.join(parts)}; {apps}"


def _messages(targets: list[TargetStatus], paint: Paint) -> list[str]:
    """Why what is not Healthy is not; what is the same on many clusters once."""
    where: dict[tuple[str, HealthStatus, str], list[str]] = {}
    for target in targets:
        if target.health.status is not HealthStatus.HEALTHY and target.health.message:
            key = (target.app, target.health.status, target.health.message)
            where.setdefault(key, []).append(target.cluster)
    return [
        f"  {visible(app)} on {names(clusters)}: {paint(HEALTH_COLOURS[state], state.value)}: {visible(message)}"
        for (app, state, message), clusters in where.items()
    ]


def _failure(cluster: ClusterState, paint: Paint) -> list[str]:
    if cluster.failure is None:
        return []
    state = code_name(cluster.failure.exit_code)
    head = f"  {visible(cluster.cluster)} ({visible(cluster.environment)}): {paint('red', state)}"
    return [head, *(f"      {text}" for text in failure_lines(cluster.failure, paint))]


def _cluster_data(cluster: ClusterState, verdict: Verdict) -> JsonObject:
    return {
        **cluster_data(cluster, verdict),
        "version": cluster.version,
        "apps": [_target_data(target) for target in cluster.targets],
    }


def _target_data(target: TargetStatus) -> JsonObject:
    return {
        "name": target.app,
        "sync": target.sync.value,
        "health": {"status": target.health.status.value, "message": target.health.message},
        "pending": target.pending,
        "revision": target.revision,
        "appliedAt": target.applied_at,
        "actor": target.actor,
        "version": version(target.images) or None,
        "images": list(target.images),
        "since": target.since,
        "healthySince": target.healthy_since,
        "objects": [
            {**object_data(o.ref), "health": {"status": o.health.status.value, "message": o.health.message}}
            for o in target.objects
        ],
    }
