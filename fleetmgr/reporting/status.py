"""``fleet status``: apps x clusters, with the clusters that did not answer as plain to see as the others."""

from __future__ import annotations

from collections import Counter

from fleetmgr.errors import ExitCode
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import ClusterState, FleetStatus, SyncStatus, TargetStatus
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_data import object_data
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import API_VERSION, failure_lines, problem_data
from fleetmgr.reporting.style import HEALTH_COLOURS, PLAIN, Paint
from fleetmgr.reporting.table import columns
from fleetmgr.reporting.wording import code_name, counted

_TITLES = ["APP", "CLUSTER", "ENVIRONMENT", "SYNC", "HEALTH", "REVISION", "SINCE"]
_SYNC, _HEALTH = 3, 4
_SYNC_COLOURS = {SyncStatus.SYNCED: "green", SyncStatus.OUT_OF_SYNC: "yellow", SyncStatus.UNKNOWN: "red"}


def status_text(status: FleetStatus, *, paint: Paint = PLAIN) -> str:
    """A table of app x cluster, then what is wrong where."""
    targets = [target for cluster in status.clusters for target in cluster.targets]
    lines = [paint("bold", _headline(status, targets)), ""]
    if targets:
        lines += _table(targets, paint)
    for target in targets:
        if target.health.status is not HealthStatus.HEALTHY and target.health.message:
            place = f"{visible(target.app)} on {visible(target.cluster)}"
            lines.append(f"  {place}: {target.health.status.value}: {visible(target.health.message)}")
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


def _table(targets: list[TargetStatus], paint: Paint) -> list[str]:
    def colour(row: int, column: int, text: str) -> str:
        if row == 0:
            return paint("bold", text)
        target = targets[row - 1]
        if column == _SYNC:
            return paint(_SYNC_COLOURS[target.sync], text)
        return paint(HEALTH_COLOURS[target.health.status], text) if column == _HEALTH else text

    return [*columns([_TITLES, *(_row(target) for target in targets)], paint=colour), ""]


def _row(target: TargetStatus) -> list[str]:
    pending = f" ({target.pending})" if target.pending else ""
    cells = [
        target.app,
        target.cluster,
        target.environment,
        f"{target.sync.value}{pending}",
        target.health.status.value,
        short_revision(target.revision) if target.revision else "-",
        target.applied_at or "never",
    ]
    return [visible(cell) for cell in cells]


def _failure(cluster: ClusterState, paint: Paint) -> list[str]:
    if cluster.failure is None:
        return []
    state = code_name(cluster.failure.exit_code)
    head = f"  {visible(cluster.cluster)} ({visible(cluster.environment)}): {paint('red', state)}"
    return [head, *(f"      {text}" for text in failure_lines(cluster.failure, paint))]


def _cluster_data(cluster: ClusterState, verdict: Verdict) -> JsonObject:
    data: JsonObject = {
        "name": cluster.cluster,
        "environment": cluster.environment,
        "version": cluster.version,
        "exitCode": int(verdict.clusters.get(cluster.cluster, ExitCode.OK)),
    }
    if cluster.failure is not None:
        data["error"] = problem_data(cluster.failure.problem)
    data["apps"] = [_target_data(target) for target in cluster.targets]
    return data


def _target_data(target: TargetStatus) -> JsonObject:
    return {
        "name": target.app,
        "sync": target.sync.value,
        "health": {"status": target.health.status.value, "message": target.health.message},
        "pending": target.pending,
        "revision": target.revision,
        "appliedAt": target.applied_at,
        "actor": target.actor,
        "objects": [
            {**object_data(o.ref), "health": {"status": o.health.status.value, "message": o.health.message}}
            for o in target.objects
        ],
    }
