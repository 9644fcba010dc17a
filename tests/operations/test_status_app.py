"""fleet status APP: which pods and warnings belong to an app, and what a person reads."""

from __future__ import annotations

from textwrap import dedent

from fleetmgr.errors import ExitCode
from fleetmgr.model.app_status import AppStatus, Inside
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import Json, JsonObject
from fleetmgr.model.objects import ref_of
from fleetmgr.model.report import ClusterState, FleetStatus, ObjectHealth, SyncStatus, TargetStatus
from fleetmgr.operations.status_app import inside
from fleetmgr.planner.outcome import status_verdict
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied
from fleetmgr.reporting.status_app import app_status_data, app_status_text
from tests.reporting.fleets import failure
from tests.reporting.schemas import problems_of


def body(kind: str, name: str, owner: str = "", api: str = "v1", **more: Json) -> JsonObject:
    references: list[Json] = [{"uid": owner, "controller": True}] if owner else []
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "creationTimestamp": "2026-11-20T10:00:00Z",
            "ownerReferences": references,
        },
        **more,
    }


def pod(name: str, owner: str, phase: str = "Running", **status: Json) -> JsonObject:
    containers: list[Json] = [{"name": "main"}]
    return body(
        "Pod",
        name,
        owner,
        spec={"nodeName": "node-1", "containers": containers},
        status={"phase": phase, **status},
    )


def event(
    kind: str, name: str, reason: str, last: str, *, type_: str = "Warning", uid: str = ""
) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}.{last}", "namespace": "shop"},
        "type": type_,
        "reason": reason,
        "message": "it \x1b[2J failed",
        "count": 3,
        "lastTimestamp": last,
        "involvedObject": {
            "apiVersion": "v1",
            "kind": kind,
            "namespace": "shop",
            "name": name,
            "uid": uid or f"uid-{name}",
        },
    }


WEB = body("Deployment", "web", api="apps/v1")
ROLLOUT = body("Rollout", "canary", api="argoproj.io/v1alpha1")
READY: Json = [{"name": "main", "ready": True, "restartCount": 2}]
CRASHING: Json = [
    {"name": "main", "ready": False, "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
]
CLUSTER: dict[str, list[JsonObject]] = {
    "replicasets": [
        body("ReplicaSet", "web-1", "uid-web", "apps/v1"),
        body("ReplicaSet", "canary-1", "uid-canary", "apps/v1"),
        body("ReplicaSet", "other-1", "uid-other", "apps/v1"),
    ],
    "jobs": [],
    "pods": [
        pod("web-1-b", "uid-web-1", containerStatuses=CRASHING),
        pod("web-1-a", "uid-web-1", containerStatuses=READY),
        pod("canary-1-a", "uid-canary-1", "Succeeded"),
        pod("other-1-a", "uid-other-1", containerStatuses=READY),
        pod("lonely", ""),
    ],
    "events": [
        event("Pod", "web-1-b", "BackOff", "2026-11-20T11:00:00Z"),
        event("Pod", "web-1-b", "BackOff", "2026-11-20T11:58:00Z"),
        event("Pod", "web-1-b", "Pulled", "2026-11-20T11:59:00Z", type_="Normal"),
        event("Deployment", "web", "Slow", "2026-11-20T09:00:00Z"),
        event("Pod", "other-1-a", "BackOff", "2026-11-20T11:59:00Z"),
        event("Pod", "web-1-a", "Evicted", "2026-11-20T11:59:30Z", uid="uid-of-an-earlier-pod"),
    ],
}


def read(resource: ApiResource, *, namespace: str) -> tuple[JsonObject, ...]:
    assert namespace == "shop"
    return tuple(CLUSTER[resource.plural])


def unreadable(resource: ApiResource, *, namespace: str) -> tuple[JsonObject, ...]:
    if resource.plural in ("pods", "events"):
        raise AccessDenied("may not list", cluster="dev-1")
    return read(resource, namespace=namespace)


def test_pods_follow_their_owners() -> None:
    found = inside("dev-1", [WEB, ROLLOUT], read)
    assert [(p.name, p.owner, p.ready, p.restarts) for p in found.pods] == [
        ("canary-1-a", "Rollout shop/canary", 0, 0),
        ("web-1-a", "Deployment shop/web", 1, 2),
        ("web-1-b", "Deployment shop/web", 0, 7),
    ]
    assert "CrashLoopBackOff" in found.pods[2].reason


def test_warnings_are_the_newest_of_each_reason_about_what_belongs() -> None:
    found = inside("dev-1", [WEB], read)
    assert [(w.object, w.reason, w.count, w.last) for w in found.warnings] == [
        ("Pod shop/web-1-a", "Evicted", 3, "2026-11-20T11:59:30Z"),
        ("Pod shop/web-1-b", "BackOff", 3, "2026-11-20T11:58:00Z"),
        ("Deployment shop/web", "Slow", 3, "2026-11-20T09:00:00Z"),
    ]


def test_what_may_not_be_read_is_a_note() -> None:
    found = inside("dev-1", [WEB], unreadable)
    assert (found.pods, found.warnings) == ((), ())
    assert [note.partition(" cannot")[0] for note in found.notes] == ["pods of shop", "events of shop"]


def test_an_app_without_objects_reads_nothing() -> None:
    assert inside("dev-1", [], unreadable) == Inside(cluster="dev-1")


def seen() -> AppStatus:
    degraded = Health(status=HealthStatus.DEGRADED, message="1 of 2 replicas")
    target = TargetStatus(
        app="web",
        cluster="dev-1",
        environment="dev",
        sync=SyncStatus.SYNCED,
        health=degraded,
        revision="3f2a1c9d0b7e4455",
        applied_at="2026-11-20T11:00:00Z",
        actor="me@here",
        images=("web:1.2",),
        since="2026-11-20T11:30:00Z",
        objects=(ObjectHealth(ref=ref_of(WEB), health=degraded),),
    )
    gone = failure("no answer", ExitCode.PARTIAL)
    clusters = (
        ClusterState(cluster="dev-1", environment="dev", version="v1.34.4", targets=(target,)),
        ClusterState(cluster="dev-2", environment="dev", version="v1.34.4"),
        ClusterState(cluster="prod-1", environment="prod", version=None, failure=gone),
    )
    status = FleetStatus(fleet="shop", revision="3f2a", clusters=clusters, at="2026-11-20T12:00:00Z")
    return AppStatus(app="web", status=status, insides=(inside("dev-1", [WEB], read),))


def test_the_text() -> None:
    assert app_status_text(seen()) == dedent("""\
        App web of fleet shop: 2 clusters

        dev-1 (dev)  ! 1.2 Synced/Degraded for 30m
          applied 1h ago at 3f2a1c9d0b7e by me@here
          ! Deployment shop/web  Degraded  1 of 2 replicas

          POD             READY  RESTARTS  AGE  NODE    STATE
          = shop/web-1-a  1/1    2         2h   node-1  Running
          ! shop/web-1-b  0/1    7         2h   node-1  Running: container main: CrashLoopBackOff (7 restarts)

          Warnings, newest first
          ! 30s ago: Pod shop/web-1-a: Evicted (3 times): it \\x1b[2J failed
          ! 2m ago: Pod shop/web-1-b: BackOff (3 times): it \\x1b[2J failed
          ! 3h ago: Deployment shop/web: Slow (3 times): it \\x1b[2J failed

        prod-1 (prod)  ? unreachable
          error[FLT-3001]: no answer
        """)


def test_the_data() -> None:
    found = seen()
    data = app_status_data(found, status_verdict(found.status))
    assert problems_of(data) == []
    first = data["clusters"][0]
    assert (data["kind"], data["app"], data["exitCode"]) == ("AppStatus", "web", 4)
    assert [p["name"] for p in first["pods"]] == ["web-1-a", "web-1-b"]
    assert first["warnings"][0]["reason"] == "Evicted"
    assert "pods" not in data["clusters"][2]
