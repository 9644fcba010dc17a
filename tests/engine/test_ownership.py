"""A label is a hint, never proof."""

from __future__ import annotations

from typing import Any

from fleetmgr.engine.fieldset import leftovers
from fleetmgr.engine.ownership import Owner, ownership, writer_of
from fleetmgr.model.applyset import PART_OF_LABEL, app_id
from fleetmgr.model.change import FieldDiff

MANAGER = "fleetmgr:shop"
WEB = app_id("shop", "dev-1", "web")
IDS = {WEB: "web"}
HELD: dict[str, Any] = {"f:metadata": {"f:labels": {f"f:{PART_OF_LABEL}": {}}}}


def live(labels: dict[str, str], *entries: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"labels": labels, "managedFields": list(entries), **metadata}}


def entry(manager: str, fields: dict[str, Any], operation: str = "Apply", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def test_our_apply_entry_holding_the_label_proves_it() -> None:
    found = ownership(live({PART_OF_LABEL: WEB}, entry(MANAGER, HELD)), manager=MANAGER, ids=IDS)
    assert (found.owner, found.app) == (Owner.OURS, "web")


def test_a_copied_label_proves_nothing() -> None:
    """The EndpointSlice of our Service carries our label, written by its controller."""
    copied = live({PART_OF_LABEL: WEB}, entry("kube-controller-manager", HELD, "Update"))
    assert ownership(copied, manager=MANAGER, ids=IDS).owner is Owner.UNPROVEN


def test_our_manager_without_the_label_in_its_entry_proves_nothing() -> None:
    other = live({PART_OF_LABEL: WEB}, entry(MANAGER, {"f:data": {"f:a": {}}}))
    assert ownership(other, manager=MANAGER, ids=IDS).owner is Owner.UNPROVEN


def test_another_fleet_a_release_and_a_hand_are_named() -> None:
    fleet = live({PART_OF_LABEL: "applyset-x-v1", "fleetmgr.dev/fleet": "other"})
    assert "fleet other" in ownership(fleet, manager=MANAGER, ids=IDS).holder
    release = live({}, annotations={"meta.helm.sh/release-name": "web"})
    assert "Helm release web" in ownership(release, manager=MANAGER, ids=IDS).holder
    hand = live({}, entry("kubectl-create", {}, "Update"))
    assert "kubectl-create" in ownership(hand, manager=MANAGER, ids=IDS).holder


def test_the_writer_of_a_differing_field_is_named_with_its_time() -> None:
    scaled = live(
        {},
        entry(MANAGER, {"f:spec": {"f:replicas": {}}}),
        entry(
            "kubectl",
            {"f:spec": {"f:replicas": {}}},
            "Update",
            subresource="scale",
            time="2026-11-21T01:00:00Z",
        ),
        entry("kubelet", {"f:status": {}}, "Update", subresource="status", time="2026-11-21T02:00:00Z"),
    )
    diff = (FieldDiff(path="/spec/replicas", old=5, new=2),)
    assert writer_of(scaled, diff, MANAGER) == "kubectl through scale at 2026-11-21T01:00:00Z"


def test_leftovers_name_what_an_apply_would_remove() -> None:
    fields: dict[str, Any] = {
        "f:metadata": {"f:labels": {"f:old/one": {}, "f:app": {}}},
        "f:spec": {"f:env": {'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}}},
        "f:set": {'v:"x"': {}, 'v:"y"': {}},
    }
    desired: dict[str, Any] = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"env": [{"name": "A"}]},
        "set": ["x"],
    }
    assert list(leftovers(fields, desired)) == [
        "/metadata/labels/old~1one",
        "/spec/env/[name=B]",
        '/set/[="y"]',
    ]
