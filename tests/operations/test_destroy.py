"""``fleet destroy``: what the fleet has goes, backwards, and is forgotten; nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from fleetmgr.errors import ExitCode, UsageError
from fleetmgr.model.applyset import SYSTEM_NAMESPACE
from fleetmgr.model.change import Change, Op, Plan
from fleetmgr.model.consent import Consent
from fleetmgr.model.pace import Pace
from fleetmgr.model.report import Report
from fleetmgr.model.selection import Selection
from fleetmgr.operations.destroy import destroy, destroys_anything, plan_of_destruction
from fleetmgr.operations.guards import PlanRefused
from fleetmgr.operations.walk import Walk
from fleetmgr.planner.outcome import complete, has_writes, report_verdict
from fleetmgr.ports.cluster_errors import ApiRejected
from fleetmgr.reporting.apply_text import report_text
from fleetmgr.reporting.plan_text import plan_text
from tests.operations.fleet_in_memory import FleetInMemory
from tests.operations.worlds import config

CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def hook(name: str, phase: str) -> str:
    """A Job that runs in a phase."""
    body: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": {"argocd.argoproj.io/hook": phase}},
        "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "m", "image": "m:1"}]}}
        },
    }
    return yaml.safe_dump(body)


class Doomed:
    """Clusters dev-1 and prod-1; app ``web`` (a Deployment and a ConfigMap) and others that tests add."""

    def __init__(self, folder: Path) -> None:
        self.fleet = FleetInMemory(folder, {"dev": ["dev-1"], "prod": ["prod-1"]})
        self.apps = [
            {"name": "web", "namespace": "shop", "source": {"type": "manifests", "path": "apps/web"}}
        ]

    def app(self, name: str, *manifests: str, **more: Any) -> None:
        folder = self.fleet.root / "apps" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "all.yaml").write_text("\n---\n".join(manifests), encoding="utf-8")
        source = {"type": "manifests", "path": f"apps/{name}"}
        self.apps.append({"name": name, "namespace": "shop", "source": source, **more})

    def apply(self) -> None:
        self.fleet.more["apps"] = self.apps
        report = self.fleet.apply()
        assert all(c.exit_code is ExitCode.OK for c in report.clusters), report_text(report)
        for cluster in self.fleet.clusters.values():
            cluster.log.clear()

    def walk(self, **more: Any) -> Walk:
        self.fleet.more["apps"] = self.apps
        return replace(self.fleet.walk(), **more)

    def planned(self, walk: Walk | None = None, **selection: Any) -> Plan:
        return plan_of_destruction(walk or self.walk(), Selection(**selection), self.fleet.events.append)

    def destroy(self, *protected: str, **selection: Any) -> Report:
        walk = self.walk(consent=Consent(protected=frozenset(protected)))
        plan = self.planned(walk, **selection)
        return complete(destroy(walk, plan, self.fleet.events.append, timeout=None), plan)

    def deleted(self, cluster: str = "dev-1") -> list[str]:
        return [name for verb, name in self.fleet.clusters[cluster].log if verb == "delete"]

    def live(self, cluster: str = "dev-1") -> set[str]:
        """What is there but namespaces and what we keep."""
        found = self.fleet.clusters[cluster].everything()
        return {
            f"{o['kind']}/{o['metadata']['name']}"
            for o in found
            if o["metadata"].get("namespace") != SYSTEM_NAMESPACE and o["kind"] != "Namespace"
        }

    def kept(self, cluster: str = "dev-1", *, rollouts: bool = False) -> set[str]:
        """What we keep there, without the Lease and rollouts."""
        found = self.fleet.clusters[cluster].everything()
        ours = (o for o in found if o["metadata"].get("namespace") == SYSTEM_NAMESPACE)
        names = {o["metadata"]["name"] for o in ours if o["kind"] != "Lease"}
        return names if rollouts else {name for name in names if ".rollout." not in name}


class CutOff:
    """A cluster that refuses everything after so many writes."""

    def __init__(self, survived: int) -> None:
        self.left = survived
        self.cut = False

    def write(self, verb: str, name: str) -> None:
        self.left -= 1
        self.cut = self.cut or self.left < 0
        if self.cut:
            raise ApiRejected(f"no {verb} of {name}", cluster="dev-1", status=400)


@pytest.fixture
def doomed(tmp_path: Path) -> Doomed:
    return Doomed(tmp_path)


def changes(plan: Plan, cluster: str = "dev-1") -> dict[str, Change]:
    (part,) = [p for p in plan.clusters if p.cluster == cluster]
    return {f"{c.ref.kind}/{c.ref.name}": c for c in part.changes}


def test_everything_goes_with_all_memory_and_a_plan_says_create_again(doomed: Doomed) -> None:
    doomed.app("gone", config("gone"))
    doomed.apply()
    doomed.apps.pop()
    plan = doomed.planned()
    assert {c.op for c in changes(plan).values()} == {Op.DELETE}
    assert set(changes(plan)) == {"Deployment/web", "ConfigMap/settings", "ConfigMap/gone"}
    assert plan_text(plan, ()).startswith("Plan to destroy: 2 clusters, 2 changed (6 delete)")
    report = doomed.destroy()
    assert report_verdict(report).exit_code is ExitCode.OK
    assert "Destroyed plan" in report_text(report)
    for cluster in ("dev-1", "prod-1"):
        assert doomed.live(cluster) == set()
        assert doomed.kept(cluster, rollouts=True) == set()
        assert doomed.deleted(cluster)[-1].endswith("fleetmgr.marker"), "the marker goes last"
    again = doomed.fleet.plan()
    assert all(part.first_contact for part in again.clusters)
    assert {c.op for c in changes(again).values()} == {Op.CREATE}
    walk = doomed.walk()
    assert not destroys_anything(walk, doomed.planned(walk))


def test_what_was_not_selected_stays_with_its_memory(doomed: Doomed) -> None:
    doomed.app("api", config("api"))
    doomed.apply()
    doomed.destroy(apps=("api",), environments=("dev",))
    assert doomed.live() == {"Deployment/web", "ConfigMap/settings"}
    assert doomed.kept() == {"shop.dev-1.web", "shop.dev-1.fleetmgr.marker"}
    assert "ConfigMap/api" in doomed.live("prod-1")
    assert not any(c.op.writes for c in changes(doomed.fleet.plan(apps=("web",))).values())


def test_what_another_app_desires_by_now_stays(doomed: Doomed) -> None:
    doomed.app("api", config("shared"))
    doomed.apply()
    doomed.apps.pop()
    doomed.app("other", config("shared"))
    doomed.destroy(apps=("api",))
    assert "ConfigMap/shared" in doomed.live()


def test_dependents_go_first_also_those_that_fleet_yaml_forgot(doomed: Doomed) -> None:
    doomed.app("a-db", config("db"))
    doomed.app("b-api", config("api"), dependsOn=["a-db"])
    doomed.app("c-front", config("front"), dependsOn=["b-api"])
    doomed.apply()
    doomed.apps = doomed.apps[:1]
    doomed.destroy()
    order = [
        name for name in doomed.deleted() if name in {"ConfigMap/db", "ConfigMap/api", "ConfigMap/front"}
    ]
    assert order == ["ConfigMap/front", "ConfigMap/api", "ConfigMap/db"]


def test_apps_that_left_are_pruned_in_the_order_that_they_remember(doomed: Doomed) -> None:
    doomed.app("z-db", config("db"))
    doomed.app("y-api", config("api"), dependsOn=["z-db"])
    doomed.app("a-base", config("base"))
    doomed.app("b-front", config("front"), dependsOn=["a-base"])
    doomed.apply()
    doomed.apps = doomed.apps[:1]
    doomed.fleet.more["defaults"] = {"sync": {"prune": True}, "limits": {"allowEmpty": True}}
    doomed.fleet.more["apps"] = doomed.apps
    doomed.fleet.apply()
    order = [name.partition("/")[2] for name in doomed.deleted() if not name.startswith("ConfigMap/shop.")]
    assert order.index("front") < order.index("base")
    assert order.index("api") < order.index("db")


def test_an_app_that_others_need_is_not_destroyed_alone(doomed: Doomed) -> None:
    doomed.app("db", config("db"))
    doomed.app("api", config("api"), dependsOn=["db"])
    doomed.apply()
    plan = doomed.planned(apps=("db",))
    assert [(r.problem.code, r.problem.hint) for r in plan.refusals] == [
        ("FLT-5052", "destroy it as well: -a api")
    ] * 2
    with pytest.raises(PlanRefused):
        doomed.destroy(apps=("db",))
    assert "ConfigMap/db" in doomed.live()
    doomed.destroy(apps=("db", "api"))
    assert doomed.live() == {"Deployment/web", "ConfigMap/settings"}


def test_protected_objects_stay_are_told_and_known_until_they_are_named(doomed: Doomed) -> None:
    marked = yaml.safe_load(config("marked"))
    marked["metadata"]["annotations"] = {"fleetmgr.dev/protect": "true"}
    doomed.app("db", CLAIM, yaml.safe_dump(marked), config("plain"))
    doomed.apply()
    plan = doomed.planned()
    for name in ("PersistentVolumeClaim/data", "ConfigMap/marked"):
        assert changes(plan)[name].op is Op.ORPHANED
        assert "--delete-protected" in (changes(plan)[name].reason or "")
    assert report_verdict(doomed.destroy()).exit_code is ExitCode.OK
    assert doomed.live() == {"PersistentVolumeClaim/data", "ConfigMap/marked"}
    assert doomed.kept() == {"shop.dev-1.db", "shop.dev-1.fleetmgr.marker"}
    doomed.destroy("PersistentVolumeClaim/shop/data", "ConfigMap/shop/marked")
    assert (doomed.live(), doomed.kept()) == (set(), set())


@pytest.mark.parametrize("rule", [{"prune": False}, {"prune": "confirm"}, {"onRemove": "orphan"}])
def test_what_asks_before_a_prune_does_not_ask_again(doomed: Doomed, rule: dict[str, Any]) -> None:
    doomed.app("kept", config("kept"), sync=rule)
    doomed.apply()
    doomed.destroy()
    assert (doomed.live(), doomed.kept()) == (set(), set())


def test_a_namespace_that_holds_what_others_made_stays(doomed: Doomed) -> None:
    doomed.app("ns", config("own"), namespace={"name": "team", "labels": {"a": "b"}})
    doomed.apply()
    for cluster in doomed.fleet.clusters.values():
        foreign = yaml.safe_load(config("theirs"))
        foreign["metadata"]["namespace"] = "team"
        cluster.create(foreign)
    doomed.destroy("Namespace/team")
    assert doomed.live() == {"ConfigMap/theirs"}
    cluster = doomed.fleet.clusters["dev-1"]
    assert cluster.body("Namespace", "", "team") is not None
    cluster.remove("ConfigMap", "team", "theirs")
    doomed.destroy("Namespace/team")
    assert cluster.body("Namespace", "", "team") is None


def test_a_label_is_no_proof(doomed: Doomed) -> None:
    doomed.apply()
    cluster = doomed.fleet.clusters["dev-1"]
    copied = cluster.body("ConfigMap", "shop", "settings") or {}
    labels = dict(copied["metadata"]["labels"])
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "copied", "namespace": "shop", "labels": labels},
        }
    )
    assert changes(doomed.planned())["ConfigMap/copied"].op is Op.UNPROVEN
    doomed.destroy()
    assert doomed.live() == {"ConfigMap/copied"}


def test_hooks_run_around_it_once_also_where_something_protected_stays(doomed: Doomed) -> None:
    doomed.app("db", CLAIM, config("db"), hook("before", "PreDelete"), hook("after", "PostDelete"))
    doomed.apply()
    doomed.destroy(environments=("dev",))
    log = doomed.fleet.clusters["dev-1"].log
    run = [
        name
        for verb, name in log
        if (verb, name) in {("apply", "Job/before"), ("delete", "ConfigMap/db"), ("apply", "Job/after")}
    ]
    assert run == ["Job/before", "ConfigMap/db", "Job/after"]
    assert doomed.live() == {"PersistentVolumeClaim/data"}
    assert not has_writes(doomed.planned(environments=("dev",)))


def test_a_run_that_was_cut_off_is_finished_by_the_next(doomed: Doomed) -> None:
    doomed.app("api", config("api"), dependsOn=["web"])
    doomed.apply()
    cluster = doomed.fleet.clusters["dev-1"]
    cut = 0
    for survived in range(30):
        log = CutOff(survived)
        cluster.before = log.write
        report = doomed.destroy(environments=("dev",))
        cluster.before = None
        if not log.cut:
            break
        cut += 1
        assert report.clusters[0].exit_code is not ExitCode.OK
        assert not doomed.live() or "shop.dev-1.fleetmgr.marker" in doomed.kept()
    assert cut > 3
    assert (doomed.live(), doomed.kept()) == (set(), set())


def test_a_dead_cluster_is_a_result_and_the_others_are_done(doomed: Doomed) -> None:
    doomed.apply()
    doomed.fleet.dead = {"prod-1"}
    report = doomed.destroy()
    assert report_verdict(report).exit_code is ExitCode.PARTIAL
    assert doomed.live("dev-1") == set()
    assert doomed.live("prod-1") != set()


def test_an_app_that_is_nowhere_is_a_slip(doomed: Doomed) -> None:
    doomed.apply()
    with pytest.raises(UsageError):
        doomed.planned(apps=("wbe",))


def test_an_app_that_left_fleet_yaml_is_destroyed_by_name(doomed: Doomed) -> None:
    doomed.app("old", config("old"), sync={"prune": False})
    doomed.apply()
    doomed.apps.pop()
    doomed.destroy(apps=("old",))
    assert doomed.live() == {"Deployment/web", "ConfigMap/settings"}


def test_a_source_that_cannot_be_read_keeps_no_entry_from_being_destroyed(doomed: Doomed) -> None:
    doomed.apply()
    (doomed.fleet.root / "apps/web/all.yaml").write_text("{broken")
    doomed.destroy()
    assert (doomed.live(), doomed.kept()) == (set(), set())


def test_a_closed_window_keeps_deletes_out(doomed: Doomed) -> None:
    doomed.apply()
    closed = [{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "timezone": "UTC"}]
    doomed.fleet.environment_more = {"prod": {"windows": closed}}
    assert [(r.cluster, r.problem.code) for r in doomed.planned().refusals] == [("prod-1", "FLT-5053")]
    assert doomed.planned(environments=("dev",)).refusals == ()
    assert doomed.planned(doomed.walk(pace=Pace(override_windows="it is over"))).refusals == ()


def test_what_is_applied_after_a_destroy_is_applied_for_the_first_time(doomed: Doomed) -> None:
    doomed.app("db", CLAIM, config("db"), hook("migrate", "PreSync"))
    doomed.apply()
    doomed.destroy()
    assert doomed.live() == {"PersistentVolumeClaim/data"}
    again = changes(doomed.fleet.plan())
    assert not again["ConfigMap/db"].drift
    assert again["Job/migrate"].op is Op.HOOK
