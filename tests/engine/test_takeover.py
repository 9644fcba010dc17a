"""Whose entries move, what an apply then removes, and who must be told."""

from __future__ import annotations

from typing import Any

import pytest

from fleetmgr.engine.adoption import Kept, earlier, pruned, takeover, union, without_bookkeeping
from fleetmgr.engine.trackers import refusal, trackers
from fleetmgr.model.applyset import FLEET_LABEL, PART_OF_LABEL
from fleetmgr.model.change import FieldDiff

OURS = "fleetmgr:shop"
B = 'k:{"name":"B"}'


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **more}


def live(*entries: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "managedFields": list(entries), **metadata},
    }


@pytest.mark.parametrize(
    ("manager", "moves"),
    [
        ("kubectl-client-side-apply", True),
        ("kubectl", True),
        ("helm", True),
        ("argocd-controller", True),
        ("kustomize-controller", True),
        ("pulumi-kubernetes-1a2b3c4d", True),
        ("before-first-apply", True),
        ("kubectl-rollout", False),
        ("kube-controller-manager", False),
        ("horizontal-pod-autoscaler", False),
        ("fleetmgr:other", False),
    ],
)
def test_tools_of_people_move_and_controllers_stay(manager: str, moves: bool) -> None:
    assert earlier(manager) is moves


def test_only_entries_of_the_main_resource_move_and_become_one() -> None:
    found = takeover(
        live(
            entry(
                "kubectl-create", {"f:spec": {"f:replicas": {}, "f:paused": {}}}, time="2026-01-01T00:00:00Z"
            ),
            entry("helm", {"f:data": {"f:a": {}}}, "Apply", time="2026-01-02T00:00:00Z"),
            entry(OURS, {"f:data": {"f:b": {}}}, "Apply"),
            entry("kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale"),
            entry("kube-controller-manager", {"f:status": {"f:replicas": {}}}, subresource="status"),
        ),
        OURS,
    )
    assert found.managers == ("helm", "kubectl-create")
    assert found.fields == {
        "f:data": {"f:b": {}, "f:a": {}},
        "f:spec": {"f:replicas": {}, "f:paused": {}},
    }
    after = found.entries(OURS, "apps/v1", found.fields)
    assert [(e["manager"], e["operation"], e.get("subresource")) for e in after] == [
        (OURS, "Apply", None),
        ("kubectl", "Update", "scale"),
        ("kube-controller-manager", "Update", "status"),
    ]
    assert (after[0]["apiVersion"], after[0]["time"]) == ("apps/v1", "2026-01-02T00:00:00Z")


def test_finalizers_and_owners_stay_and_of_unknown_writers_what_the_cluster_writes() -> None:
    metadata: dict[str, Any] = {
        "f:finalizers": {'v:"x"': {}},
        "f:ownerReferences": {},
        "f:annotations": {"f:deployment.kubernetes.io/revision": {}, "f:team": {}},
    }
    kubectl = takeover(live(entry("kubectl-create", {"f:metadata": metadata})), OURS)
    assert kubectl.fields == {"f:metadata": {"f:annotations": metadata["f:annotations"]}}
    unknown = takeover(live(entry("before-first-apply", {"f:metadata": metadata, "f:status": {}})), OURS)
    assert unknown.fields == {"f:metadata": {"f:annotations": {"f:team": {}}}}


def test_a_member_with_children_elsewhere_is_both() -> None:
    assert union({"f:a": {}}, {"f:a": {"f:b": {}}}) == {"f:a": {".": {}, "f:b": {}}}
    assert union({"f:a": {"f:b": {}}}, {"f:a": {"f:c": {}}}) == {"f:a": {"f:b": {}, "f:c": {}}}


FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:old": {}, "f:app": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:affinity": {"f:nodeAffinity": {}},
        "f:env": {B: {".": {}, "f:name": {}, "f:value": {}}},
        "f:set": {'v:"x"': {}, 'v:"y"': {}},
    },
}
BODY: dict[str, Any] = {
    "metadata": {"labels": {"old": "1", "app": "web"}},
    "spec": {
        "replicas": 3,
        "affinity": {"nodeAffinity": {}, "defaulted": True},
        "env": [{"name": "A"}, {"name": "B", "value": "2"}],
        "set": ["x", "y"],
    },
}
DESIRED: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"env": [{"name": "A"}], "set": ["x"]},
}


def test_what_git_does_not_name_goes_unless_somebody_else_holds_it_too() -> None:
    assert pruned(BODY, FIELDS, DESIRED, ()) == {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"env": [{"name": "A"}], "set": ["x"]},
    }
    others: tuple[dict[str, Any], ...] = ({"f:spec": {"f:replicas": {}, "f:env": {B: {"f:value": {}}}}},)
    assert pruned(BODY, FIELDS, DESIRED, others)["spec"] == {
        "replicas": 3,
        "env": [{"name": "A"}, {"value": "2"}],
        "set": ["x"],
    }
    assert BODY["spec"]["set"] == ["x", "y"]


def test_what_the_server_does_not_let_go_of_is_not_held() -> None:
    taking = takeover(live(entry("helm", FIELDS)), OURS)
    assert taking.held(Kept.NOTHING, DESIRED) == FIELDS
    spec = taking.held(Kept.SPEC, DESIRED)
    assert spec["f:metadata"] == FIELDS["f:metadata"]
    assert spec["f:spec"] == {"f:env": {}, "f:set": {'v:"x"': {}}}
    assert taking.held(Kept.EVERYTHING, DESIRED)["f:metadata"] == {"f:labels": {"f:app": {}}}


def test_our_bookkeeping_is_not_worth_a_line() -> None:
    diff = (
        FieldDiff(path="/metadata/labels", new={PART_OF_LABEL: "x", FLEET_LABEL: "shop", "app": "web"}),
        FieldDiff(path="/metadata/annotations", new={"pulumi.com/skipAwait": "true"}),
        FieldDiff(path="/metadata/annotations/pulumi.com~1patchFieldManager", new=OURS),
        FieldDiff(path="/data/a", old="1"),
    )
    assert without_bookkeeping(diff) == (
        FieldDiff(path="/metadata/labels", new={"app": "web"}),
        FieldDiff(path="/data/a", old="1"),
    )


def test_every_tracker_is_named_with_the_way_to_make_it_forget() -> None:
    marked = live(
        annotations={
            "argocd.argoproj.io/tracking-id": "team_shop:apps/Deployment:shop/web",
            "meta.helm.sh/release-name": "shop",
            "meta.helm.sh/release-namespace": "apps",
        },
        labels={"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "flux"},
    )
    assert [t.who for t in trackers(marked)] == [
        "Argo CD Application team/shop",
        "Flux HelmRelease flux/shop",
        "Helm release shop in namespace apps",
    ]
    assert trackers(marked)[2].forget.endswith(
        "kubectl --namespace apps delete secret --selector owner=helm,name=shop"
    )


def test_a_copied_tracking_id_is_no_mark_and_a_label_only_with_its_writer() -> None:
    copied = live(annotations={"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/other"})
    assert trackers(copied) == ()
    labelled = {"app.kubernetes.io/instance": "shop"}
    assert trackers(live(labels=labelled)) == ()
    by_argo = live(entry("argocd-controller", {"f:spec": {}}), labels=labelled)
    assert [t.who for t in trackers(by_argo)] == ["Argo CD Application shop"]


def test_nobody_adopts_what_a_fleet_an_applyset_or_a_controller_owns() -> None:
    assert "fleet other" in str(refusal(live(labels={FLEET_LABEL: "other"})))
    assert "ApplySet" in str(refusal(live(labels={PART_OF_LABEL: "applyset-x-v1"})))
    owner = {"kind": "ReplicaSet", "name": "web-1", "controller": True}
    assert refusal(live(ownerReferences=[owner])) == "ReplicaSet web-1 controls it"
    assert refusal(live(ownerReferences=[{**owner, "controller": False}])) is None
