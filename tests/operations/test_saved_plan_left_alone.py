"""A saved plan is bound to what it would change: what is left to others may move, what matters may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetmgr.model.jsontypes import child
from fleetmgr.model.selection import Selection
from fleetmgr.operations.apply import apply
from tests.operations.fleet_in_memory import codes
from tests.operations.test_autoscaled import hpa, web
from tests.operations.test_saved_plan import Saving

REPLICAS = {"kind": "Deployment", "pointers": ["/spec/replicas"]}
BY_MANAGER = {"kind": "Deployment", "managedFieldsManagers": ["kube-controller-manager"]}


def ignoring(*rules: dict[str, Any], **app: Any) -> dict[str, Any]:
    """More of fleet.yaml: what app ``web`` leaves alone."""
    source = {"type": "manifests", "path": "apps/web"}
    rules_of_app = {"ignoreDifferences": list(rules)} if rules else {}
    return {"apps": [{"name": "web", "namespace": "shop", "source": source, **rules_of_app, **app}]}


def made(root: Path, more: dict[str, Any], *manifests: str) -> Saving:
    """A fleet whose Deployment is live; the plan to keep changes its image."""
    fleet = Saving(root, {"dev": ["dev-1"]}, **more)
    fleet.put(web(5), *manifests)
    fleet.apply()
    scale(fleet, 6)
    fleet.put(web(5, image="web:2"), *manifests)
    return fleet


def scale(fleet: Saving, replicas: int, manager: str = "kube-controller-manager") -> None:
    fleet.clusters["dev-1"].edit(
        "Deployment", "shop", "web", {"spec": {"replicas": replicas}}, manager=manager
    )


def replicas(fleet: Saving) -> Any:
    return child(fleet.clusters["dev-1"].body("Deployment", "shop", "web") or {}, "spec", "replicas")


LEFT_ALONE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "ignored by pointer": (ignoring(REPLICAS), ()),
    "ignored by manager": (ignoring(BY_MANAGER), ()),
    "kept for its manager": (ignoring(sync={"onConflict": "keep-theirs"}), ()),
    "handed over to an autoscaler": ({}, (hpa(),)),
}


@pytest.mark.parametrize("how", LEFT_ALONE)
def test_a_field_that_is_left_alone_may_move(tmp_path: Path, how: str) -> None:
    more, manifests = LEFT_ALONE[how]
    fleet = made(tmp_path, more, *manifests)
    content = fleet.keep()
    scale(fleet, 8)
    walk, plan = fleet.check(content)
    report = apply(walk, plan, Selection(), fleet.events.append, wait=False, timeout=None)
    assert codes(report) == {"dev-1": 0}
    assert replicas(fleet) == 8


@pytest.mark.parametrize("how", LEFT_ALONE)
def test_a_field_that_matters_may_not(tmp_path: Path, how: str) -> None:
    more, manifests = LEFT_ALONE[how]
    fleet = made(tmp_path, more, *manifests)
    content = fleet.keep()
    body = yaml.safe_load(web(6, image="web:9"))
    fleet.clusters["dev-1"].edit(
        "Deployment", "shop", "web", {"spec": {"template": body["spec"]["template"]}}
    )
    assert any("Deployment" in message for message in fleet.refused(content))


def test_a_field_that_nobody_leaves_alone_may_not_move_either(tmp_path: Path) -> None:
    fleet = made(tmp_path, {})
    content = fleet.keep()
    scale(fleet, 8)
    (message,) = fleet.refused(content)
    assert "/spec/replicas" in message
    assert "is 8 on the cluster now, was 6" in message


def test_a_field_that_another_manager_took_is_noticed(tmp_path: Path) -> None:
    """Left alone for its manager when the plan was made, to be set by the apply now."""
    fleet = made(tmp_path, ignoring(BY_MANAGER))
    content = fleet.keep()
    scale(fleet, 8, manager="kubectl")
    assert any("/spec/replicas" in message for message in fleet.refused(content))
