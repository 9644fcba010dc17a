"""``fleet status APP``: cluster by cluster its objects, pods and warnings."""

from __future__ import annotations

from fleetmgr.model.app_status import AppStatus, Inside, PodState
from fleetmgr.model.enumeration import counted
from fleetmgr.model.health import HealthStatus
from fleetmgr.model.jsontypes import JsonObject, array_at, is_object
from fleetmgr.model.memory import DONE
from fleetmgr.model.report import ClusterState, TargetStatus
from fleetmgr.model.verdict import Verdict
from fleetmgr.reporting.escape import cut, visible
from fleetmgr.reporting.history import counts_text, run_data
from fleetmgr.reporting.plan_text import short_revision
from fleetmgr.reporting.problems import failure_lines
from fleetmgr.reporting.status import status_data
from fleetmgr.reporting.status_matrix import age, colour, state, symbol, version
from fleetmgr.reporting.style import HEALTH_COLOURS, PLAIN, Paint
from fleetmgr.reporting.table import columns
from fleetmgr.reporting.wording import code_name

_MESSAGE = 160
"""Characters of a message at most."""
_MOST_RESULTS = 5
_MARKS = {
    HealthStatus.HEALTHY: "=",
    HealthStatus.SUSPENDED: "=",
    HealthStatus.PROGRESSING: "*",
}
_FINE = frozenset({"Running", "Succeeded"})


def app_status_text(found: AppStatus, *, paint: Paint = PLAIN) -> str:
    """A block a cluster; clusters without the app are left out, those that cannot be read are not."""
    insides = {inside.cluster: inside for inside in found.insides}
    shown = [c for c in found.status.clusters if c.failure is not None or c.targets]
    title = (
        f"App {visible(found.app)} of fleet {visible(found.status.fleet)}: {counted(len(shown), 'cluster')}"
    )
    lines = [paint("bold", title)]
    for cluster in shown:
        lines += ["", *_cluster(cluster, insides.get(cluster.cluster), found.status.at, paint)]
    return "\n".join(lines) + "\n"


def app_status_data(found: AppStatus, verdict: Verdict) -> JsonObject:
    """Kind ``AppStatus``: a Status of this app, with pods and warnings at each cluster."""
    data = status_data(found.status, verdict)
    insides = {inside.cluster: inside for inside in found.insides}
    results = {
        c.cluster: [run_data(run) for t in c.targets for run in t.results] for c in found.status.clusters
    }
    clusters = [
        {
            **cluster,
            "results": results.get(str(cluster["name"]), []),
            **_inside_data(insides[str(cluster["name"])]),
        }
        if cluster.get("name") in insides
        else cluster
        for cluster in array_at(data, "clusters")
        if is_object(cluster)
    ]
    return {**data, "kind": "AppStatus", "app": found.app, "clusters": clusters}


def _inside_data(inside: Inside) -> JsonObject:
    return {
        "pods": [_pod_data(pod) for pod in inside.pods],
        "warnings": [
            {
                "object": warned.object,
                "reason": warned.reason,
                "message": warned.message,
                "count": warned.count,
                "last": warned.last,
            }
            for warned in inside.warnings
        ],
        "notes": list(inside.notes),
    }


def _cluster(cluster: ClusterState, inside: Inside | None, at: str, paint: Paint) -> list[str]:
    name = f"{paint('bold', visible(cluster.cluster))} ({visible(cluster.environment)})"
    if cluster.failure is not None:
        how = paint("red", f"? {code_name(cluster.failure.exit_code)}")
        return [f"{name}  {how}", *(f"  {line}" for line in failure_lines(cluster.failure, paint))]
    target = cluster.targets[0]
    lines = [f"{name}  {_headline(target, at, paint)}"]
    applied = age(at, target.applied_at)
    if applied:
        by = f" by {visible(target.actor)}" if target.actor else ""
        of = f" at {visible(short_revision(target.revision))}" if target.revision else ""
        lines.append(paint("dim", f"  applied {applied} ago{of}{by}"))
    lines += _objects(target, paint)
    lines += _results(target, at, paint)
    if inside is not None:
        lines += [*_pods(inside, at, paint), *_warnings(inside, at, paint)]
        lines += [f"  {paint('yellow', 'note:')} {visible(note)}" for note in inside.notes]
    return lines


def _headline(target: TargetStatus, at: str, paint: Paint) -> str:
    passed = age(at, target.since)
    words = [symbol(target), version(target.images), state(target), f"for {passed}" if passed else ""]
    return paint(colour(target), " ".join(word for word in words if word))


def _results(target: TargetStatus, at: str, paint: Paint) -> list[str]:
    """The last runs; a single good one has been said already."""
    if not target.results or (len(target.results) == 1 and target.results[0].outcome == DONE):
        return []
    lines = ["", f"  {paint('dim', 'Last results, newest first')}"]
    for run in target.results[:_MOST_RESULTS]:
        mark, hue = ("=", "green") if run.outcome == DONE else ("!", "red")
        of = f" at {visible(short_revision(run.revision))}" if run.revision else ""
        by = f" by {visible(run.actor)}" if run.actor else ""
        ago = f"{age(at, run.at)} ago: " if age(at, run.at) else ""
        reason = f": {cut(visible(run.reason), _MESSAGE)}" if run.reason else ""
        lines.append(f"  {mark} {ago}{paint(hue, visible(run.outcome))}{of}{by} ({counts_text(run)}){reason}")
    return lines


def _objects(target: TargetStatus, paint: Paint) -> list[str]:
    rows = [
        [
            f"{_MARKS.get(o.health.status, '!')} {visible(o.ref.short)}",
            o.health.status.value,
            cut(visible(o.health.message), _MESSAGE),
        ]
        for o in target.objects
    ]
    hues = [HEALTH_COLOURS[o.health.status] for o in target.objects]
    return columns(
        rows, indent="  ", paint=lambda row, column, text: paint(hues[row], text) if column == 1 else text
    )


def _pods(inside: Inside, at: str, paint: Paint) -> list[str]:
    if not inside.pods:
        return []
    titles = ["POD", "READY", "RESTARTS", "AGE", "NODE", "STATE"]
    rows = [titles, *(_pod_row(pod, at) for pod in inside.pods)]

    def hue(row: int, column: int, text: str) -> str:
        if row == 0:
            return paint("dim", text)
        return paint("red", text) if column == len(titles) - 1 and not _runs(inside.pods[row - 1]) else text

    return ["", *columns(rows, indent="  ", paint=hue)]


def _pod_row(pod: PodState, at: str) -> list[str]:
    words = f"{pod.phase}: {pod.reason}" if pod.reason else pod.phase
    name = f"{'=' if _runs(pod) else '!'} {pod.namespace}/{pod.name}"
    cells = [name, f"{pod.ready}/{pod.containers}", str(pod.restarts), age(at, pod.since), pod.node or "-"]
    return [visible(cell) for cell in (*cells, cut(words, _MESSAGE))]


def _runs(pod: PodState) -> bool:
    settled = pod.phase == "Succeeded" or pod.ready == pod.containers
    return pod.phase in _FINE and settled and not pod.reason


def _warnings(inside: Inside, at: str, paint: Paint) -> list[str]:
    if not inside.warnings:
        return []
    lines = ["", f"  {paint('yellow', 'Warnings, newest first')}"]
    for warned in inside.warnings:
        times = f" ({warned.count} times)" if warned.count > 1 else ""
        ago = f"{age(at, warned.last)} ago" if age(at, warned.last) else "some time ago"
        message = cut(visible(warned.message), _MESSAGE)
        lines.append(f"  ! {ago}: {visible(warned.object)}: {visible(warned.reason)}{times}: {message}")
    return lines


def _pod_data(pod: PodState) -> JsonObject:
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "owner": pod.owner,
        "phase": pod.phase,
        "ready": pod.ready,
        "containers": pod.containers,
        "restarts": pod.restarts,
        "node": pod.node,
        "reason": pod.reason,
        "since": pod.since,
    }
