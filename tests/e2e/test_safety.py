"""Nothing is deleted by accident: budgets, empty apps, protected objects, confirmations, on real control planes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_leases import FITS_NOWHERE, READY, waiting

pytestmark = pytest.mark.e2e

CONFIG = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {a: '1'}}"


def config_maps(count: int, prefix: str = "c") -> str:
    return "\n---\n".join(CONFIG % f"{prefix}-{n}" for n in range(count))


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, apps ``web`` (12 ConfigMaps) and ``api`` (2), prune on, applied."""
    made = fleets()
    made.apps = [made.app("web"), made.app("api")]
    made.save()
    made.manifests("web", config=config_maps(12))
    made.manifests("api", config=config_maps(2, "api"))
    made.apply()
    return made


def live(fleet: Fleet, cluster: int = 0) -> dict[str, str]:
    """uid of each ConfigMap of the fleet."""
    found = fleet.everything("configmap", cluster=cluster)
    return {n: o["metadata"]["uid"] for n, o in found.items()}


def refused(fleet: Fleet, *codes: str) -> None:
    """A plan tells ``codes`` and ends well; an apply ends with 5, tells them too, and deletes nothing."""
    before = live(fleet)
    plan = fleet.plan()
    assert [r["code"] for r in plan.data["refusals"]] == list(codes)
    assert fleet.run("plan", "--detailed-exitcode").code == 2
    assert all(code in fleet.run("plan").out for code in codes)
    answer = fleet.apply(code=5)
    assert [e["code"] for e in answer.data["errors"]] == list(codes)
    assert "--max-deletes" in answer.err
    assert live(fleet) == before


def test_more_than_ten_deletes_need_a_yes(fleet: Fleet) -> None:
    fleet.manifests("web", config=config_maps(1))
    refused(fleet, "FLT-5002")
    fleet.apply("--max-deletes", "10", code=5)
    assert len(live(fleet)) == 14
    fleet.apply("--max-deletes", "11")
    assert set(live(fleet)) == {"ConfigMap/c-0", "ConfigMap/api-0", "ConfigMap/api-1"}
    fleet.assert_settled()


def test_ten_deletes_are_done(fleet: Fleet) -> None:
    fleet.manifests("web", config=config_maps(2))
    fleet.apply()
    assert len(live(fleet)) == 4


def test_an_app_that_renders_nothing_is_refused(fleet: Fleet) -> None:
    fleet.manifests("api", config="# nothing left\n")
    refused(fleet, "FLT-5003")
    fleet.apps[1] |= {"limits": {"allowEmpty": True}}
    fleet.save()
    assert "refusals" not in fleet.plan().data
    fleet.apply()
    assert len(live(fleet)) == 12


def test_a_fleet_file_that_lost_its_apps_is_refused(fleet: Fleet) -> None:
    fleet.apps = []
    fleet.save()
    refused(fleet, "FLT-5003")
    fleet.apps = [fleet.app("new")]
    fleet.manifests("new", config=config_maps(1, "new"))
    fleet.save()
    refused(fleet, "FLT-5004", "FLT-5002")
    assert "ConfigMap/new-0" not in live(fleet)
    fleet.apply("--max-deletes", "100%")
    assert set(live(fleet)) == {"ConfigMap/new-0"}


def test_one_cluster_over_budget_stops_every_cluster(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets(2)
    fleet.save()
    fleet.manifests(config=config_maps(12))
    fleet.apply()
    fleet.apps[0]["overlays"] = {"staging": {"path": "apps/less"}}
    fleet.manifests("less", config=config_maps(1))
    fleet.manifests(config=config_maps(12).replace("'1'", "'2'"))
    fleet.save()
    answer = fleet.plan()
    assert [(r["code"], r["cluster"]) for r in answer.data["refusals"]] == [("FLT-5002", "two")]
    fleet.apply(code=5)
    assert fleet.get("configmap", "c-0", cluster=0)["data"] == {"a": "1"}
    fleet.apply("-c", "one")
    assert fleet.get("configmap", "c-0", cluster=0)["data"] == {"a": "2"}
    assert len(live(fleet, 1)) == 12


def test_limits_are_the_strictest(fleet: Fleet) -> None:
    fleet.manifests("web", config=config_maps(10))
    fleet.entries[0]["limits"] = {"maxDeletes": 1}
    fleet.save()
    refused(fleet, "FLT-5002")
    fleet.entries[0]["limits"] = {"maxDeletes": "20%"}
    fleet.save()
    fleet.apply()
    assert len(live(fleet)) == 12


def test_generated_names_that_change_are_updates(fleets: Callable[..., Fleet]) -> None:
    fleet = fleets()
    fleet.apps = [fleet.app("web", source={"type": "kustomize", "path": "apps/web"})]
    fleet.save()

    def generate(value: str) -> None:
        generators = "".join(f"- {{name: g{n}, literals: ['a={value}']}}\n" for n in range(14))
        fleet.write("apps/web/kustomization.yaml", "configMapGenerator:\n" + generators)

    generate("1")
    fleet.apply()
    generate("2")
    answer = fleet.plan()
    assert (answer.data["summary"]["create"], answer.data["summary"]["delete"]) == (14, 14)
    assert "refusals" not in answer.data
    fleet.apply()
    assert len(live(fleet)) == 14
    fleet.assert_settled()


def test_deletes_wait_for_a_confirmation(fleet: Fleet) -> None:
    fleet.prune = "confirm"
    fleet.save()
    fleet.apply()
    fleet.manifests("web", config=config_maps(9).replace("'1'", "'2'"))
    plan = fleet.plan()
    assert plan.data["summary"]["delete"] == 3
    assert all(c["needsConfirmation"] == "deletes" for c in plan.changes() if c["op"] == "delete")
    assert "[needs confirmation]" in fleet.run("plan").out
    answer = fleet.apply(code=7)
    assert ("delete", "ConfigMap/c-11", "waiting") in answer.results()
    assert ("update", "ConfigMap/c-0", "done") in answer.results()
    assert len(live(fleet)) == 14
    assert fleet.get("configmap", "c-0")["data"] == {"a": "2"}
    assert fleet.run("apply", "--yes").code == 7
    fleet.apply("--confirm-deletes")
    assert len(live(fleet)) == 11
    fleet.assert_settled()


def test_an_app_that_leaves_goes_by_what_was_applied(fleet: Fleet) -> None:
    fleet.apps[1] |= {"sync": {"onRemove": "orphan"}}
    fleet.save()
    fleet.apply()
    fleet.apps = fleet.apps[:1]
    fleet.save()
    answer = fleet.plan()
    assert answer.ops() == {("orphaned", "ConfigMap/api-0"), ("orphaned", "ConfigMap/api-1")}
    assert "onRemove was orphan" in answer.change("ConfigMap/api-0")["reason"]
    fleet.apply()
    assert len(live(fleet)) == 14


def test_protected_objects_stay_until_they_are_named(fleet: Fleet) -> None:
    extra = f"{fleet.ns}-extra"
    fleet.namespaces.add(extra)
    marked = (
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, annotations: {fleetmgr.dev/protect: 'true'}}}"
    )
    claim = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}
    """
    namespace = f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {extra}}}}}"
    kept = config_maps(2, "api")
    fleet.manifests("api", config=kept, marked=marked, claim=claim, namespace=namespace)
    fleet.apply("--no-wait")
    fleet.kubectl("create", "configmap", "theirs", "-n", extra)
    fleet.manifests("api", config=kept)
    names = {"ConfigMap/m", "PersistentVolumeClaim/data", f"Namespace/{extra}"}
    assert fleet.plan().ops() == {("orphaned", name) for name in names}
    fleet.apply("--confirm-deletes", "--max-deletes", "100%")
    assert fleet.plan().ops() == {("orphaned", name) for name in names}
    ns = fleet.ns
    named = [f"ConfigMap/{ns}/m", f"PersistentVolumeClaim/{ns}/data", f"Namespace/{extra}"]
    flags = [part for name in named for part in ("--delete-protected", name)]
    answer = fleet.apply(*flags)
    assert ("delete", "ConfigMap/m", "done") in answer.results()
    fleet.kubectl("wait", "--for=delete", "--timeout=60s", "persistentvolumeclaim/data")
    (left,) = fleet.plan(*flags).changes()
    assert f"ConfigMap {extra}/theirs would go with it" in left["reason"]
    fleet.apply("--delete-protected", f"Namespace/{extra}/*")
    assert fleet.get("namespace", extra).get("metadata", {}).get("deletionTimestamp", "gone")
    assert fleet.run("plan", "--delete-protected", "nothing").code == 64
    assert fleet.run("plan", "--max-deletes", "many").code == 64


def test_what_came_into_a_namespace_while_an_apply_waited_keeps_it(fleet: Fleet) -> None:
    extra = f"{fleet.ns}-more"
    fleet.namespaces.add(extra)
    namespace = f"{{apiVersion: v1, kind: Namespace, metadata: {{name: {extra}}}}}"
    fleet.manifests(config=config_maps(12), namespace=namespace)
    fleet.apply()
    fleet.manifests(config=config_maps(12), deployment=FITS_NOWHERE)
    named = ("--delete-protected", f"Namespace/{extra}")
    assert ("delete", f"Namespace/{extra}") in fleet.plan(*named).ops()
    with waiting(fleet, "-o", "json", *named) as running:
        fleet.kubectl("create", "configmap", "theirs", "-n", extra)
        fleet.kubectl("wait", "--for=create", "--timeout=30s", "deployment/web")
        fleet.kubectl("patch", "deployment", "web", "--type=json", "-p", READY)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 6, out + err
    assert f"ConfigMap {extra}/theirs would go with it" in out
    assert fleet.get("configmap", "theirs", namespace=extra)["metadata"].get("deletionTimestamp") is None
    assert not fleet.get("namespace", extra)["metadata"].get("deletionTimestamp")
