"""``fleet adopt --from-fleet``: what is taken over, and how that went."""

from __future__ import annotations

from collections import Counter

from fleetmgr.model.enumeration import counted
from fleetmgr.model.fleet_adoption import AdoptedCluster, FleetAdoption
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.clusters import cluster_data
from fleetmgr.reporting.escape import visible
from fleetmgr.reporting.plan_data import object_data
from fleetmgr.reporting.problems import API_VERSION, failure_lines
from fleetmgr.reporting.style import PLAIN, Paint
from fleetmgr.reporting.wording import code_name


def fleet_adoption_text(found: FleetAdoption, *, paint: Paint = PLAIN) -> str:
    """A line a cluster, with the kinds of what is taken over."""
    title = f"Fleet {visible(found.before)} becomes {visible(found.fleet)}: {counted(len(found.clusters), 'cluster')}"
    lines = [paint("bold", title), ""]
    for cluster in found.clusters:
        lines += _cluster(cluster, found.before, paint)
    if found.pending:
        lines += ["", "Only labels and managedFields of objects change; nothing is restarted."]
    return "\n".join(lines) + "\n"


def _cluster(cluster: AdoptedCluster, before: str, paint: Paint) -> list[str]:
    name = f"  {visible(cluster.cluster)} ({visible(cluster.environment)})"
    if cluster.failure is not None:
        how = paint("red", code_name(cluster.failure.exit_code))
        return [f"{name}: {how}", *(f"      {line}" for line in failure_lines(cluster.failure, paint))]
    if not cluster.apps and not cluster.objects:
        return [f"{name}: nothing here is of fleet {visible(before)} (any more)"]
    kinds = Counter(ref.kind for ref in cluster.objects)
    counts = ", ".join(f"{number} {visible(kind)}" for kind, number in sorted(kinds.items()))
    done = f"{paint('green', 'taken over')}: " if cluster.done else ""
    apps = ", ".join(visible(app) for app in cluster.apps)
    of = f" of {apps}" if apps else ""
    return [
        f"{name}: {done}{counted(len(cluster.objects), 'object')}{of}" + (f" ({counts})" if counts else "")
    ]


def fleet_adoption_data(found: FleetAdoption, verdict: Verdict) -> JsonObject:
    """Kind ``FleetAdoption``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "FleetAdoption",
        "fleet": found.fleet,
        "before": found.before,
        "exitCode": int(verdict.exit_code),
        "reason": verdict.reason,
        "clusters": [_cluster_data(cluster, verdict) for cluster in found.clusters],
    }


def _cluster_data(cluster: AdoptedCluster, verdict: Verdict) -> JsonObject:
    return {
        **cluster_data(cluster, verdict),
        "done": cluster.done,
        "apps": list(cluster.apps),
        "objects": [object_data(ref) for ref in cluster.objects],
    }
