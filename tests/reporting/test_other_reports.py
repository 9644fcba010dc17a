"""Apply, diff, drift, status and doctor: the texts whole, the data where it has a shape of its own."""

from __future__ import annotations

from textwrap import dedent

from msgspec.structs import replace

from fleetmgr.errors import ExitCode, Problem, Where
from fleetmgr.model.change import Change, FieldDiff, Op, Plan
from fleetmgr.model.health import Health, HealthStatus
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.report import (
    AppHealth,
    CheckResult,
    ClusterReport,
    ClusterState,
    Diagnosis,
    DoctorCheck,
    FleetStatus,
    ObjectHealth,
    ObjectResult,
    Outcome,
    Report,
    SyncStatus,
    TargetStatus,
)
from fleetmgr.planner.grouping import same_changes
from fleetmgr.planner.outcome import complete, diagnosis_verdict, plan_verdict, report_verdict, status_verdict
from fleetmgr.reporting.apply_data import report_data
from fleetmgr.reporting.apply_text import report_text
from fleetmgr.reporting.doctor import diagnosis_data, diagnosis_text
from fleetmgr.reporting.drift_text import drift_text
from fleetmgr.reporting.encode import to_json, to_yaml
from fleetmgr.reporting.plan_data import plan_data
from fleetmgr.reporting.status import status_data, status_text
from fleetmgr.reporting.unified import diff_data, diff_text
from tests.reporting.fleets import (
    CANARY,
    IMAGE,
    SECRET,
    SERVICE,
    SETTINGS,
    WEB,
    change,
    cluster,
    failure,
    plan_of,
)

GONE = failure("no answer", ExitCode.PARTIAL, hint="is the VPN up?")


def deployment(image: str, version: str) -> JsonObject:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "uid": version, "resourceVersion": version, "managedFields": []},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": image}]}}},
        "status": {"replicas": version},
    }


def secret(**data: str) -> JsonObject:
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": CANARY}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "database", "annotations": annotation},
        "data": data,
    }


def diffed() -> Plan:
    def update(version: str) -> Change:
        live, result = deployment("nginx:1.26", version), deployment("nginx:1.27", version)
        return replace(change(Op.UPDATE, WEB, IMAGE), live=live, result=result)

    hidden = replace(
        change(Op.UPDATE, SECRET, FieldDiff(path="/data/password", sensitive=True)),
        live=secret(password=CANARY, user=CANARY),
        result=secret(password=CANARY + "2", user=CANARY, key=CANARY),
    )
    settings: JsonObject = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings"},
        "data": {"a.conf": "x=1\ny=2\n", "b": "안녕", "c": "\x1b[31m"},
    }
    return plan_of(
        cluster("dev-1", update("1"), hidden, replace(change(Op.DELETE, SETTINGS), live=settings)),
        cluster("dev-2", update("2"), change(Op.CONFLICT, SERVICE, reason="belongs to fleet other")),
        cluster("prod-1", failed=GONE),
    )


def test_diff() -> None:
    assert diff_text(diffed()) == dedent("""\
        delete ConfigMap shop-web/settings (dev-1)
        --- live/v1/ConfigMap/shop-web/settings
        +++ /dev/null
        @@ -1,10 +0,0 @@
        -apiVersion: v1
        -data:
        -  a.conf: |
        -    x=1
        -    y=2
        -  b: 안녕
        -  c: "\\e[31m"
        -kind: ConfigMap
        -metadata:
        -  name: settings

        update Secret shop-web/database (dev-1)
        --- live/v1/Secret/shop-web/database
        +++ desired/v1/Secret/shop-web/database
        @@ -1,6 +1,7 @@
         apiVersion: v1
         data:
        -  password: (sensitive)
        +  key: (sensitive)
        +  password: (sensitive, changed)
           user: (sensitive)
         kind: Secret
         metadata:

        conflict Service shop-web/web (dev-2)
        # belongs to fleet other

        update Deployment shop-web/web (same on 2 clusters: dev-1, dev-2)
        --- live/apps/v1/Deployment/shop-web/web
        +++ desired/apps/v1/Deployment/shop-web/web
        @@ -7,5 +7,5 @@
           template:
             spec:
               containers:
        -      - image: nginx:1.26
        +      - image: nginx:1.27
                 name: web

        prod-1: unreachable
            error[FLT-3001]: no answer
            hint: is the VPN up?
        """)


def test_diff_leaves_out_what_differs_between_clusters_but_does_not_change() -> None:
    def update(part_of: str, address: str, *, moved: bool = False) -> Change:
        labels = {"applyset.kubernetes.io/part-of": part_of, "fleetmgr.dev/fleet": "shop"}
        body: JsonObject = {"kind": "Service", "metadata": {"labels": labels}, "spec": {"clusterIP": address}}
        after = {**body, "spec": {"clusterIP": address, "type": "NodePort"}}
        if moved:
            after["metadata"] = {"labels": {**labels, "applyset.kubernetes.io/part-of": "other"}}
        return replace(change(Op.UPDATE, SERVICE), live=body, result=after)

    plan = plan_of(cluster("dev-1", update("a", "10.0.0.1")), cluster("dev-2", update("b", "10.0.0.2")))
    assert diff_text(plan) == dedent("""\
        update Service shop-web/web (same on 2 clusters: dev-1, dev-2)
        --- live/v1/Service/shop-web/web
        +++ desired/v1/Service/shop-web/web
        @@ -2,3 +2,4 @@
         metadata: {}
         spec:
           clusterIP: 10.0.0.1
        +  type: NodePort
        """)
    moved = diff_text(plan_of(cluster("dev-1", update("a", "10.0.0.1", moved=True))))
    assert "-    applyset.kubernetes.io/part-of: a\n+    applyset.kubernetes.io/part-of: other\n" in moved


def test_diff_without_differences() -> None:
    assert (
        diff_text(plan_of(cluster("dev-1", change(Op.KEEP))))
        == "No differences: every cluster is as desired.\n"
    )


def test_diff_as_data_without_secrets() -> None:
    plan = diffed()
    data = diff_data(plan, plan_verdict(plan))
    assert (data["kind"], data["exitCode"]) == ("Diff", 4)
    assert [(c["op"], c["clusters"]) for c in data["changes"]] == [
        ("delete", ["dev-1"]),
        ("update", ["dev-1"]),
        ("conflict", ["dev-2"]),
        ("update", ["dev-1", "dev-2"]),
    ]
    assert CANARY not in to_json(data) + to_yaml(data) + diff_text(plan)


def drifted() -> Plan:
    scaled = replace(
        change(
            Op.UPDATE,
            WEB,
            FieldDiff(path="/spec/replicas", old=5, new=2),
            FieldDiff(path="/spec/paused", old=True),
        ),
        drift=True,
        writer="kubectl (Update) at 2026-11-20T10:00:00Z",
    )
    leaked = replace(
        change(Op.UPDATE, SECRET, FieldDiff(path="/data/password", old=CANARY, new="x")), drift=True
    )
    gone = replace(change(Op.CREATE, SERVICE), drift=True)
    return plan_of(
        cluster("dev-1", scaled, gone, leaked), cluster("dev-2", gone), cluster("prod-1", failed=GONE)
    )


def test_drift() -> None:
    plan = drifted()
    assert drift_text(plan, same_changes(plan)) == dedent("""\
        Drift: 3 clusters, 2 drifted (4 objects), 0 without drift, 1 unreachable (desired: 3f2a1c9d0b7e)

        drift on dev-1: Secret shop-web/database: data.password differs (sensitive)
        drift on dev-1, dev-2: Service shop-web/web: missing
        drift on dev-1: Deployment shop-web/web: spec.replicas 5 instead of 2\
 (kubectl (Update) at 2026-11-20T10:00:00Z)
        drift on dev-1: Deployment shop-web/web: spec.paused true instead of nothing\
 (kubectl (Update) at 2026-11-20T10:00:00Z)
        prod-1: unreachable
            error[FLT-3001]: no answer
            hint: is the VPN up?
        """)
    data = plan_data(plan, plan_verdict(plan), kind="Drift")
    assert (data["kind"], data["summary"]["drift"], data["exitCode"]) == ("Drift", 4, 4)


def test_no_drift() -> None:
    plan = plan_of(cluster("dev-1"))
    assert drift_text(plan, ()) == dedent("""\
        Drift: 1 cluster, 0 drifted, 1 without drift, 0 unreachable (desired: 3f2a1c9d0b7e)
        No drift: every cluster is as it was applied.
        """)


def applied() -> Report:
    plan = plan_of(
        cluster("dev-1", change(Op.CREATE, SETTINGS)),
        cluster("dev-2", change(Op.CONFLICT, SERVICE, reason="belongs to fleet other")),
        cluster("prod-1", failed=GONE),
    )
    invalid = Problem(
        message="spec.x: invalid",
        where=Where(file="apps/web/web.yaml", line=7, column=1, cluster="dev-1"),
        hint="fix it",
        code="FLT-3006",
    )
    clusters = (
        ClusterReport(
            cluster="dev-1",
            environment="dev",
            exit_code=ExitCode.FAILED,
            seconds=4.21,
            results=(
                ObjectResult(op=Op.UPDATE, app="web", ref=WEB, outcome=Outcome.DONE),
                ObjectResult(op=Op.CREATE, app="web", ref=SETTINGS, outcome=Outcome.FAILED, problem=invalid),
                ObjectResult(
                    op=Op.DELETE,
                    app="web",
                    ref=SECRET,
                    outcome=Outcome.SKIPPED,
                    problem=Problem(message="something else failed first"),
                ),
            ),
            health=(
                AppHealth(app="web", status=HealthStatus.DEGRADED, message="1 of 2 ready"),
                AppHealth(app="api", status=HealthStatus.HEALTHY),
            ),
        ),
        ClusterReport(cluster="dev-2", environment="dev", exit_code=ExitCode.OK, seconds=1),
    )
    return complete(Report(plan_id="8c1f0e3a9b2d77", fleet="shop", revision="3f2a", clusters=clusters), plan)


def test_apply() -> None:
    assert report_text(applied()) == dedent("""\
        Apply: 3 clusters, 0 done, 2 failed, 1 unreachable; 1 updated

          dev-1   dev   failed       1 updated, 1 failed, 1 skipped in 4.2 s
          dev-2   dev   failed       1 skipped in 1.0 s
          prod-1  prod  unreachable
              error[FLT-3001]: no answer
              hint: is the VPN up?

        Failed
          ConfigMap shop-web/settings (dev-1)
              error[FLT-3006]: spec.x: invalid
                at apps/web/web.yaml:7:1
                hint: fix it

        Not written
          Service shop-web/web (dev-2)
              error[FLT-5020]: conflict: belongs to fleet other
                at apps/web/web.yaml:7:1

        Not tried (dev-1): 1 object: something else failed first

        Not healthy
          web on dev-1: Degraded: 1 of 2 ready

        Not everything was applied of plan 8c1f0e3a9b2d of fleet shop at 3f2a.
        """)


def test_apply_as_data() -> None:
    report = applied()
    data = report_data(report, report_verdict(report))
    assert (data["kind"], data["planId"], data["exitCode"]) == ("ApplyResult", "8c1f0e3a9b2d77", 4)
    assert data["reason"] == "2 of 3 clusters failed, 1 unreachable"
    assert data["summary"] == {
        "clusters": 3,
        "succeeded": 0,
        "unreachable": 1,
        "failed": 2,
        "notBegun": 0,
        "objects": {"done": 1, "failed": 1, "skipped": 2, "waiting": 0},
        "create": 0,
        "update": 1,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "move": 0,
        "hook": 0,
    }
    assert data["clusters"][0]["results"][1]["error"] == {
        "code": "FLT-3006",
        "message": "spec.x: invalid",
        "hint": "fix it",
        "where": {"file": "apps/web/web.yaml", "line": 7, "column": 1, "cluster": "dev-1"},
    }
    assert data["clusters"][0]["health"][0] == {"app": "web", "status": "Degraded", "message": "1 of 2 ready"}


def seen() -> FleetStatus:
    def target(app: str, sync: SyncStatus, health: Health, *, pending: int = 0) -> TargetStatus:
        return TargetStatus(
            app=app,
            cluster="dev-1",
            environment="dev",
            sync=sync,
            health=health,
            pending=pending,
            revision="3f2a1c9d0b7e4455" if app == "web" else None,
            applied_at="2026-11-20T10:00:00Z" if app == "web" else None,
            objects=(ObjectHealth(ref=WEB, health=health),),
        )

    degraded = Health(status=HealthStatus.DEGRADED, message="1 of 2 replicas")
    targets = (
        target("web", SyncStatus.OUT_OF_SYNC, degraded, pending=2),
        target("api", SyncStatus.SYNCED, Health(status=HealthStatus.HEALTHY)),
    )
    return FleetStatus(
        fleet="shop",
        revision="3f2a1c9d0b7e4455+dirty",
        clusters=(
            ClusterState(cluster="dev-1", environment="dev", version="v1.34.4", targets=targets),
            ClusterState(cluster="prod-1", environment="prod", version=None, failure=GONE),
        ),
    )


def test_status() -> None:
    assert status_text(seen()) == dedent("""\
        Fleet shop at 3f2a1c9d0b7e+dirty: 2 clusters, 1 unreachable; 2 targets, 1 synced, 1 healthy

        APP   dev-1             prod-1
              dev               unreachable
        web   !                 ?
                OutOfSync (2)
                Degraded
        api   =                 ?

        = Synced and Healthy   ! not Healthy   ? not known

          web on dev-1: Degraded: 1 of 2 replicas
          prod-1 (prod): unreachable
              error[FLT-3001]: no answer
              hint: is the VPN up?
        """)


def test_status_as_data() -> None:
    data = status_data(seen(), status_verdict(seen()))
    assert (data["kind"], data["exitCode"]) == ("Status", 4)
    assert data["summary"]["sync"] == {"Synced": 1, "OutOfSync": 1, "Unknown": 0}
    web = data["clusters"][0]["apps"][0]
    assert {key: value for key, value in web.items() if key != "objects"} == {
        "name": "web",
        "sync": "OutOfSync",
        "health": {"status": "Degraded", "message": "1 of 2 replicas"},
        "pending": 2,
        "revision": "3f2a1c9d0b7e4455",
        "appliedAt": "2026-11-20T10:00:00Z",
        "actor": None,
        "version": None,
        "images": [],
        "since": None,
        "healthySince": None,
    }
    assert data["clusters"][1]["error"]["code"] == "FLT-3001"


def test_doctor() -> None:
    diagnosis = Diagnosis(
        checks=(
            DoctorCheck(name="git", result=CheckResult.OK, message="found"),
            DoctorCheck(
                name="patch deployments.apps",
                result=CheckResult.FAILED,
                message="forbidden in shop-web",
                cluster="dev-1",
                hint="ask for it",
                exit_code=ExitCode.AUTH,
            ),
        )
    )
    assert diagnosis_text(diagnosis) == dedent("""\
        ok      this machine  git                     found
        failed  dev-1         patch deployments.apps  forbidden in shop-web
                 hint: ask for it

        Doctor: 1 ok, 0 warning, 1 failed
        """)
    data = diagnosis_data(diagnosis, diagnosis_verdict(diagnosis))
    assert (data["kind"], data["exitCode"]) == ("Diagnosis", 3)
    assert data["summary"] == {"ok": 1, "warning": 0, "failed": 1}
    assert data["checks"][1]["cluster"] == "dev-1"
