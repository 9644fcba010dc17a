"""Preview and up on a cluster in memory: order, gates, failures, proofs."""

from __future__ import annotations

import pytest
import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.change import Op
from fleetmgr.model.jsontypes import JsonObject
from fleetmgr.model.objects import GroupKind
from fleetmgr.operations.embedded.scene import TwoOwners
from fleetmgr.operations.embedded.write import NO_VERSION
from fleetmgr.ports.cluster import ApiResource, Applied
from fleetmgr.ports.cluster_errors import ClusterError, ObjectConflict, ObjectInvalid, Unreachable
from tests.operations.worlds import (
    App,
    SettlingClock,
    WatchedCluster,
    World,
    config,
    deployment,
    is_record,
    ops_of,
    outcomes,
    service,
)

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
WIDGET = "{apiVersion: shop.example/v1, kind: Widget, metadata: {name: w}}"


@pytest.fixture
def world() -> World:
    return World()


def parent_kinds(world: World, app: str) -> str | None:
    body = world.cluster.body("ConfigMap", "fleetmgr-system", f"shop.dev-1.{app}")
    if body is None:
        return None
    return body["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"]


def invalid(world: World, name: str) -> None:
    """Let the server refuse writes (not dry runs) of one object."""

    def refuse(verb: str, written: str) -> None:
        if written == name:
            raise ObjectInvalid(f"{verb} of {name} refused", cluster="dev-1", status=422)

    world.cluster.before = refuse


def test_writes_go_in_the_order_that_objects_need(world: World) -> None:
    world.apps = {
        "first": App(manifests=[WIDGET, deployment(), service(), config()]),
        "last": App(manifests=[CRD, config("other")], depends_on=("first",)),
    }
    report = world.apply()
    assert report.exit_code is ExitCode.OK, report
    written = world.cluster.written()
    ranks = [written.index(n) for n in ("Namespace/shop", "CustomResourceDefinition/widgets.shop.example")]
    ranks += [written.index(n) for n in ("ConfigMap/settings", "Service/web", "Deployment/web", "Widget/w")]
    ranks += [written.index("ConfigMap/other")]
    assert ranks == sorted(ranks)
    assert world.ops() == set()


def test_the_parent_is_written_before_its_members_and_narrowed_after_they_are_gone(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), service()])}
    world.apply()
    log = [name for _, name in world.cluster.log]
    assert log.index("ConfigMap/shop.dev-1.web") < log.index("ConfigMap/settings")
    world.forget_log()
    world.apps = {"web": App(manifests=[config()])}
    world.apply()
    assert world.cluster.log == [("delete", "Service/web"), ("apply", "ConfigMap/shop.dev-1.web")]
    assert parent_kinds(world, "web") == "ConfigMap"
    world.apps = {}
    world.forget_log()
    world.apply()
    assert world.cluster.log == [("delete", "ConfigMap/settings"), ("delete", "ConfigMap/shop.dev-1.web")]


def test_a_failing_object_stops_its_app_and_dependents_and_nothing_else(world: World) -> None:
    world.apps = {"old": App(manifests=[config("old")])}
    world.apply()
    world.apps = {
        "base": App(manifests=[config(), deployment()]),
        "above": App(manifests=[config("above")], depends_on=("base",)),
        "top": App(manifests=[config("top")], depends_on=("above",)),
        "beside": App(manifests=[config("beside")]),
    }
    invalid(world, "ConfigMap/settings")
    report = world.apply()
    assert report.exit_code is ExitCode.FAILED
    assert outcomes(report) == {
        "ConfigMap/settings": "failed",
        "Deployment/web": "skipped",
        "ConfigMap/above": "skipped",
        "ConfigMap/top": "skipped",
        "ConfigMap/beside": "done",
        "ConfigMap/old": "skipped",
    }
    assert world.cluster.body("ConfigMap", "shop", "old") is not None
    world.cluster.before = None
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()
    assert world.cluster.body("ConfigMap", "shop", "old") is None


def test_a_dependent_waits_until_its_dependency_is_healthy(world: World) -> None:
    world.apps = {
        "base": App(manifests=[deployment()]),
        "above": App(manifests=[config("above")], depends_on=("base",)),
    }
    seen: list[object] = []

    def look(_: str, name: str) -> None:
        if name == "ConfigMap/above":
            body = world.cluster.body("Deployment", "shop", "web")
            seen.append((body or {}).get("status"))

    world.cluster.before = look
    assert world.apply(wait=False).exit_code is ExitCode.OK
    assert seen[0]


def test_what_is_never_healthy_times_out_and_the_rest_is_skipped(world: World) -> None:
    world.apps = {"old": App(manifests=[config("old")])}
    world.apply()
    world.clock = SettlingClock(world.cluster, works=False)
    world.apps = {
        "base": App(manifests=[deployment()]),
        "above": App(manifests=[config("above")], depends_on=("base",)),
    }
    report = world.apply(timeout=30.0)
    assert report.exit_code is ExitCode.TIMEOUT
    assert 30.0 <= report.seconds < 40.0
    assert outcomes(report)["ConfigMap/above"] == "skipped"
    assert outcomes(report)["ConfigMap/old"] == "skipped"
    world.clock = SettlingClock(world.cluster)
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()


def test_a_cluster_that_dies_in_the_middle_is_unreachable_and_nothing_is_lost(world: World) -> None:
    world.apps = {"web": App(manifests=[config(f"c{n}") for n in range(8)] + [service()])}

    def die(_: str, name: str) -> None:
        if name == "Service/web":
            raise Unreachable("connection refused", cluster="dev-1")

    world.cluster.before = die
    report = world.apply()
    assert report.exit_code is ExitCode.PARTIAL
    assert report.failure is not None
    assert outcomes(report)["ConfigMap/c0"] == "done"
    assert parent_kinds(world, "web") == "ConfigMap,Service"
    world.cluster.before = None
    world.apps = {}
    assert {op for op, _ in world.ops()} == {"delete"}
    world.apply()
    assert world.ops() == set()
    assert parent_kinds(world, "web") is None


def test_lists_fall_back_to_namespaces_where_the_whole_cluster_is_forbidden(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), config("old"), service()])}
    world.apply()

    forbidden: list[str] = []
    whole = world.cluster.list

    def only_namespaces(
        resource: ApiResource, *, namespace: str = "", selector: str = ""
    ) -> tuple[dict[str, object], ...]:
        if not namespace:
            forbidden.append(resource.plural)
            world.cluster.denied.add(("list", resource.plural))
        try:
            return whole(resource, namespace=namespace, selector=selector)
        finally:
            world.cluster.denied.clear()

    world.cluster.list = only_namespaces
    world.apps = {"web": App(manifests=[config()])}
    assert world.ops() == {("delete", "ConfigMap/old"), ("delete", "Service/web")}
    assert set(forbidden) >= {"configmaps", "services"}


def test_partial_discovery_never_prunes(world: World) -> None:
    world.apps = {"web": App(manifests=[CRD, WIDGET, config()])}
    world.apply()
    world.apps = {"web": App(manifests=[config()])}
    world.cluster.incomplete = ("shop.example",)
    world.cluster.discover(fresh=True)
    with pytest.raises(Unreachable, match=r"shop\.example"):
        world.plan()
    world.cluster.incomplete = ()
    world.cluster.discover(fresh=True)
    assert ("delete", "Widget/w") in world.ops()


def test_a_kind_that_is_gone_has_no_members(world: World) -> None:
    world.apps = {"web": App(manifests=[CRD, WIDGET, config()])}
    world.apply()
    world.cluster.remove("CustomResourceDefinition", "", "widgets.shop.example")
    world.apps = {"web": App(manifests=[config()])}
    assert world.ops() == set()
    assert world.apply().exit_code is ExitCode.OK
    assert parent_kinds(world, "web") == "ConfigMap"


def test_what_changed_since_the_plan_is_not_written(world: World) -> None:
    world.apps = {"web": App(manifests=[config(a="1"), config("other", a="1")])}
    world.apply()
    world.apps = {"web": App(manifests=[config(a="2")])}
    scene = world.scene()
    from_plan = world.plan()
    world.cluster.edit("ConfigMap", "shop", "settings", {"data": {"a": "by hand"}})
    report = world.perform(scene, from_plan)
    assert report.exit_code is ExitCode.STALE
    assert (world.cluster.body("ConfigMap", "shop", "settings") or {})["data"] == {"a": "by hand"}


def test_another_object_of_the_same_name_is_not_deleted(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), config("other")])}
    world.apply()
    world.apps = {"web": App(manifests=[config()])}
    scene, plan = world.scene(), world.plan()
    world.cluster.remove("ConfigMap", "shop", "other")
    world.cluster.create(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": "shop"}}
    )
    report = world.perform(scene, plan)
    assert report.exit_code is ExitCode.STALE
    assert world.cluster.body("ConfigMap", "shop", "other") is not None


def test_an_object_that_appears_since_the_plan_is_not_taken(world: World) -> None:
    world.apps = {"web": App(manifests=[config()])}
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    scene, plan = world.scene(), world.plan()
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}}
    world.cluster.create({**theirs, "data": {"b": "theirs"}})
    assert world.perform(scene, plan).exit_code is ExitCode.STALE
    assert (world.cluster.body("ConfigMap", "shop", "settings") or {})["data"] == {"b": "theirs"}


def test_what_the_plan_found_absent_is_made_without_another_look(world: World) -> None:
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    asked: list[int] = []
    for count in (1, 9):
        world.apps = {"web": App(manifests=[config(f"of-{count}-{number}") for number in range(count)])}
        before = world.cluster.requests["get"]
        assert world.apply().exit_code is ExitCode.OK
        asked.append(world.cluster.requests["get"] - before)
    assert asked[1] <= asked[0]


class Unfenced(WatchedCluster):
    """Refuses a version where nothing is there, as no Kubernetes does."""

    def apply(
        self, resource: ApiResource, body: JsonObject, *, manager: str, force: bool, dry_run: bool
    ) -> Applied:
        if body["metadata"].get("resourceVersion") == NO_VERSION:
            raise ObjectConflict("no such version", cluster=self.cluster, status=409, reason="Conflict")
        return super().apply(resource, body, manager=manager, force=force, dry_run=dry_run)


def test_a_server_that_knows_no_fences_makes_what_is_absent(world: World) -> None:
    world.cluster = Unfenced()
    world.clock = SettlingClock(world.cluster)
    world.apps = {"web": App(manifests=[config()])}
    assert world.apply().exit_code is ExitCode.OK
    assert (world.cluster.body("ConfigMap", "shop", "settings") or {})["data"] == {"a": "1"}


@pytest.mark.parametrize("kind", ["ConfigMap", "Widget"])
def test_an_object_that_appears_while_it_is_made_is_not_taken(world: World, kind: str) -> None:
    """Nothing of theirs is held against us, so that server-side apply alone would put the two together."""
    made = f"{kind}/{'settings' if kind == 'ConfigMap' else 'w'}"
    world.apps = {"crds": App(manifests=[CRD])}
    world.apply()
    world.apps["web"] = App(manifests=[config() if kind == "ConfigMap" else WIDGET])

    def appear(verb: str, name: str) -> None:
        if (verb, name) == ("apply", made):
            world.cluster.before = None
            world.cluster.create({**theirs, "data": {"b": "theirs"}})

    version = "v1" if kind == "ConfigMap" else "shop.example/v1"
    metadata = {"name": made.split("/")[1], "namespace": "shop"}
    theirs = {"apiVersion": version, "kind": kind, "metadata": metadata}
    world.cluster.before = appear
    report = world.apply()
    assert report.exit_code is ExitCode.STALE
    body = world.cluster.body(kind, "shop", metadata["name"]) or {}
    assert body["data"] == {"b": "theirs"}
    assert "labels" not in body["metadata"]


def test_an_object_that_its_new_app_has_not_taken_yet_stays_known(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), service()]), "api": App(manifests=[config("api")])}
    world.apply()
    world.apps = {"web": App(manifests=[config()]), "api": App(manifests=[config("api"), service()])}
    assert world.ops() == {("move", "Service/web")}
    world.apply("web")
    world.apps["api"] = App(manifests=[config("api")])
    assert world.ops() == {("delete", "Service/web")}


def test_a_kept_object_is_never_sent(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), deployment(), service()])}
    world.apply()
    world.forget_log()
    asked = world.cluster.requests
    assert world.apply().exit_code is ExitCode.OK
    assert world.cluster.log == []
    assert world.cluster.requests["dry-run"] == asked["dry-run"]
    world.apps = {"web": App(manifests=[config(a="2"), deployment(), service()])}
    world.apply()
    assert world.cluster.written() == ["ConfigMap/settings"]


def test_a_selected_apply_writes_and_remembers_only_its_own(world: World) -> None:
    world.apps = {"web": App(manifests=[config()]), "api": App(manifests=[config("api")])}
    world.apply("api")
    assert [n for _, n in world.cluster.log if is_record(n)][-1] == "ConfigMap/shop.dev-1.api"
    assert parent_kinds(world, "web") is None
    assert world.cluster.body("ConfigMap", "shop", "settings") is None
    assert world.ops() == {("create", "ConfigMap/settings")}


def test_a_failed_page_is_no_empty_cluster(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), service()])}
    world.apply()

    def fault(verb: str, resource: ApiResource | None) -> ClusterError | None:
        if verb == "list" and resource is not None and resource.group_kind == GroupKind("", "Service"):
            return Unreachable("timed out", cluster="dev-1")
        return None

    world.cluster.fault = fault
    with pytest.raises(Unreachable):
        world.plan()


def test_a_selected_definition_is_what_makes_its_objects_creatable(world: World) -> None:
    world.apps = {"crds": App(manifests=[CRD]), "web": App(manifests=[WIDGET])}
    assert ops_of(world.plan("web")) >= {("denied", "Widget/w")}
    assert ("create", "Widget/w") in world.ops()
    plan = world.plan()
    widget = next(c for c in plan.changes if c.ref.kind == "Widget")
    assert (widget.op, widget.unverified) == (Op.CREATE, True)


def test_asked_to_stop_it_finishes_what_it_writes_and_goes_on_next_time(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), deployment()])}
    world.cluster.before = lambda _, name: world.stop.set() if name == "ConfigMap/settings" else None
    report = world.apply()
    assert report.exit_code is ExitCode.INTERRUPTED
    assert world.cluster.body("Deployment", "shop", "web") is None
    world.stop.clear()
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()


def test_labels_taken_off_by_hand_are_drift_that_heals(world: World) -> None:
    world.apps = {"web": App(manifests=[config(), service()])}
    world.apply()
    labels = {"applyset.kubernetes.io/part-of": None, "fleetmgr.dev/fleet": None}
    world.cluster.edit("ConfigMap", "shop", "settings", {"metadata": {"labels": labels}})
    (change,) = [c for c in world.plan().changes if c.op is not Op.KEEP]
    assert (change.op, change.ref.name, change.drift) == (Op.UPDATE, "settings", True)
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()
    theirs = {"applyset.kubernetes.io/part-of": "applyset-theirs-v1"}
    world.cluster.edit("ConfigMap", "shop", "settings", {"metadata": {"labels": theirs}})
    assert world.ops() == {("conflict", "ConfigMap/settings")}


def test_who_may_not_see_namespaces_can_still_work_in_one(world: World) -> None:
    world.apps = {"web": App(manifests=[config()])}
    world.apply()
    world.cluster.denied = {("get", "namespaces")}
    world.apps = {"web": App(manifests=[config(a="2"), config("other")])}
    assert world.ops() == {("update", "ConfigMap/settings"), ("create", "ConfigMap/other")}
    assert world.apply().exit_code is ExitCode.OK
    assert world.ops() == set()


def test_two_resources_that_are_one_object_of_the_cluster_are_refused(world: World) -> None:
    """Git does not hold the definition, so only the cluster knows that no namespace counts."""
    definition = yaml.safe_load(CRD.replace("scope: Namespaced", "scope: Cluster"))
    world.cluster.create(definition)
    world.apps = {
        "one": App(manifests=[WIDGET], namespace="one"),
        "two": App(manifests=[WIDGET], namespace="two"),
    }
    with pytest.raises(TwoOwners, match=r"Widget w is in app one .* and in app two"):
        world.plan()
    del world.apps["two"]
    assert ("create", "Widget/w") in world.ops()
