"""What Git no longer names: deleted, waiting for a confirmation, protected, or left."""

from __future__ import annotations

import pytest
import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Change, ClusterPlan, Confirmation, Op
from fleetmgr.model.consent import Consent
from fleetmgr.model.policy import OnRemove, Prune
from fleetmgr.planner.build import build
from fleetmgr.planner.confirmation import confirmed, withheld
from fleetmgr.ports.cluster import ApiResource
from fleetmgr.ports.cluster_errors import AccessDenied, ClusterError
from tests.operations.worlds import App, World, config

CONFIRM = {"prune": Prune.CONFIRM, "on_remove": OnRemove.CONFIRM}
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: extra}}"
ROLE = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: []}"


@pytest.fixture
def world() -> World:
    return World()


def only(plan: ClusterPlan) -> Change:
    (found,) = [c for c in plan.changes if c.op is not Op.KEEP]
    return found


def perform(world: World, plan: ClusterPlan) -> ClusterPlan:
    """What an apply does with a plan; the next plan."""
    whole = withheld(build("shop", "r", [plan], partial=False))
    assert world.perform(world.scene(), whole.clusters[0]).exit_code is ExitCode.OK
    return world.plan()


def protected(name: str) -> str:
    body = yaml.safe_load(config(name))
    body["metadata"]["annotations"] = {"fleetmgr.dev/protect": "true"}
    return yaml.safe_dump(body)


def test_deletes_that_wait_are_left_and_stay_known(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), config("old")], policy_more=CONFIRM)}
    world.apply()
    world.apps["web"] = App(manifests=[config(a="2")], policy_more=CONFIRM)
    plan = world.plan()
    doomed = next(c for c in plan.changes if c.op is Op.DELETE)
    assert (doomed.needs, doomed.reason) == (
        Confirmation.DELETES,
        "no longer in Git; needs confirmation (prune: confirm)",
    )
    plan = perform(world, plan)
    assert (world.cluster.body("ConfigMap", "shop", "settings") or {})["data"] == {"a": "2"}
    assert only(plan).needs is Confirmation.DELETES
    plan = confirmed(build("shop", "r", [plan], partial=False)).clusters[0]
    assert only(plan).needs is None
    perform(world, plan)
    assert world.cluster.body("ConfigMap", "shop", "old") is None
    assert world.ops() == set()


def test_a_confirmation_that_is_given_beforehand(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), config("old")], policy_more=CONFIRM)}
    world.apply()
    world.apps["web"] = App(manifests=[config()], policy_more=CONFIRM)
    world.consent = Consent(confirm_deletes=True)
    assert only(world.plan()).needs is None
    world.apply()
    assert world.cluster.body("ConfigMap", "shop", "old") is None


@pytest.mark.parametrize(
    ("prune", "on_remove", "op", "reason"),
    [
        (Prune.ALWAYS, OnRemove.DELETE, Op.DELETE, "its app is no longer on this cluster"),
        (Prune.ALWAYS, OnRemove.ORPHAN, Op.ORPHANED, "onRemove was orphan"),
        (Prune.NEVER, OnRemove.ORPHAN, Op.ORPHANED, "prune was off"),
        (Prune.NEVER, OnRemove.DELETE, Op.DELETE, "its app is no longer on this cluster"),
        (Prune.CONFIRM, OnRemove.CONFIRM, Op.DELETE, "needs confirmation"),
    ],
)
def test_an_app_that_leaves_goes_by_what_its_last_apply_said(
    world: World, prune: Prune, on_remove: OnRemove, op: Op, reason: str
) -> None:
    policy = {"prune": prune, "on_remove": on_remove}
    world.apps = {"web": App(manifests=[config()], policy_more=policy), "api": App(manifests=[config("api")])}
    world.apply()
    del world.apps["web"]
    found = only(world.plan())
    assert found.op is op
    assert reason in (found.reason or "")
    assert found.needs is (Confirmation.DELETES if on_remove is OnRemove.CONFIRM else None)
    assert world.plan().removed == ("web",)


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        (protected("precious"), "ConfigMap/shop/precious"),
        (CLAIM, "PersistentVolumeClaim/shop/data"),
        (NAMESPACE, "Namespace/extra"),
    ],
)
def test_protected_objects_go_only_by_name(world: World, manifest: str, name: str) -> None:
    world.apps = {"web": App(manifests=[config(), manifest])}
    world.apply()
    world.apps["web"] = App(manifests=[config()])
    found = only(world.plan())
    assert (found.op, found.needs) == (Op.ORPHANED, Confirmation.NAME)
    assert f"--delete-protected {name}" in (found.reason or "")
    world.apply()
    world.consent = Consent(confirm_deletes=True, protected=frozenset({f"{name}x"}))
    assert only(world.plan()).op is Op.ORPHANED
    world.consent = Consent(protected=frozenset({name}))
    assert only(world.plan()).op is Op.DELETE
    world.apply()
    assert world.ops() == set()


def test_a_name_does_not_turn_prune_on(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), CLAIM], prune=False)}
    world.apply()
    world.apps["web"] = App(manifests=[config()], prune=False)
    world.consent = Consent(protected=frozenset({"PersistentVolumeClaim/shop/data"}))
    assert only(world.plan()).reason == "no longer in Git; prune is off"


def test_a_namespace_does_not_take_what_others_have_in_it(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), NAMESPACE])}
    world.apply()
    for name, owners in (("theirs", []), ("child", [{"kind": "Pod", "name": "p", "uid": "1"}])):
        metadata = {"name": name, "namespace": "extra", "ownerReferences": owners}
        world.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    world.apps["web"] = App(manifests=[config()])
    world.consent = Consent(protected=frozenset({"Namespace/extra"}))
    found = only(world.plan())
    assert (found.op, found.needs) == (Op.ORPHANED, Confirmation.NAME)
    assert "ConfigMap extra/theirs would go with it" in (found.reason or "")
    assert "--delete-protected 'Namespace/extra/*'" in (found.reason or "")
    world.cluster.denied.add(("list", "secrets"))
    world.cluster.remove("ConfigMap", "extra", "theirs")
    assert "secrets that may not be read" in (only(world.plan()).reason or "")
    world.cluster.denied.clear()
    world.cluster.incomplete = ("shop.example",)
    assert "shop.example" in (only(world.plan()).reason or "")
    world.cluster.incomplete = ()
    assert only(world.plan()).op is Op.DELETE


def test_a_namespace_goes_with_our_own_objects_in_it(world: World) -> None:
    world.apps = {"web": App(manifests=[config()]), "extra": App(manifests=[config("x")], namespace="extra")}
    world.apps["web"].manifests = [config(), NAMESPACE]
    world.apply()
    world.consent = Consent(protected=frozenset({"Namespace/extra"}))
    world.apps["web"].manifests = [config()]
    assert "ConfigMap extra/x" in (only(world.plan()).reason or "")  # still desired
    del world.apps["extra"]
    assert world.ops() == {("delete", "Namespace/extra"), ("delete", "ConfigMap/x")}
    world.forget_log()
    world.apply()
    deletes = [name for verb, name in world.cluster.log if verb == "delete"]
    assert deletes.index("ConfigMap/x") < deletes.index("Namespace/extra")


@pytest.mark.parametrize("leaving", [False, True])
def test_what_came_into_a_namespace_since_the_plan_keeps_it(world: World, *, leaving: bool) -> None:
    world.apps = {"web": App(manifests=[config(), NAMESPACE])}
    world.apply()
    world.apps["web"] = App(manifests=[config()])
    world.consent = Consent(protected=frozenset({"Namespace/extra"}))
    scene, plan = world.scene(), world.plan()
    assert only(plan).op is Op.DELETE
    world.cluster.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "extra"}}
    )
    if leaving:
        going = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
        world.cluster.edit("ConfigMap", "extra", "theirs", going)
        assert world.perform(scene, plan).exit_code is ExitCode.OK
        assert world.cluster.body("Namespace", "", "extra") is None
        return
    report = world.perform(scene, plan)
    assert report.exit_code is ExitCode.STALE
    (problem,) = [r.problem for r in report.results if r.problem]
    assert "ConfigMap extra/theirs would go with it" in problem.message
    assert world.cluster.body("Namespace", "", "extra") is not None


@pytest.mark.parametrize("annotation", ["fleetmgr.dev/protect: 'true'", "fleetmgr.dev/prune: disabled"])
def test_what_was_protected_since_the_plan_is_not_deleted(world: World, annotation: str) -> None:
    world.apps = {"web": App(manifests=[config(), config("old")])}
    world.apply()
    world.apps["web"] = App(manifests=[config()])
    scene, plan = world.scene(), world.plan()
    annotations = yaml.safe_load(annotation)
    world.cluster.edit("ConfigMap", "shop", "old", {"metadata": {"annotations": annotations}})
    report = world.perform(scene, plan)
    assert report.exit_code is ExitCode.STALE
    assert world.cluster.body("ConfigMap", "shop", "old") is not None


def test_a_kind_that_may_not_be_listed_is_no_empty_kind(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), ROLE])}
    world.apply()
    world.apps["web"] = App(manifests=[config()])

    def deny(verb: str, resource: ApiResource | None) -> ClusterError | None:
        if verb == "list" and resource is not None and resource.plural == "clusterroles":
            return AccessDenied("cannot list clusterroles", cluster="dev-1")
        return None

    world.cluster.fault = deny
    with pytest.raises(AccessDenied):
        world.plan()
    world.cluster.fault = None
    assert world.ops() == {("delete", "ClusterRole/r")}
