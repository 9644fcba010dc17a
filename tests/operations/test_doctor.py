"""``fleet doctor``: which verb on which resource is missing, what that means, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fleetmgr.errors import ExitCode
from fleetmgr.model.report import CheckResult, DoctorCheck
from fleetmgr.model.selection import Selection
from fleetmgr.operations.doctor import doctor
from tests.operations.fleet_in_memory import FleetInMemory

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "YQ=="}}


@pytest.fixture
def fleet(tmp_path: Path) -> FleetInMemory:
    """One cluster, ``dev-1``."""
    return FleetInMemory(tmp_path, {"dev": ["dev-1"]})


def checks(fleet: FleetInMemory) -> dict[str, DoctorCheck]:
    """By name, those of the machine left out."""
    return {c.name: c for c in doctor(fleet.walk(), Selection()).checks if c.cluster}


def test_all_is_well(fleet: FleetInMemory) -> None:
    found = checks(fleet)
    assert {c.result for c in found.values()} == {CheckResult.OK}
    assert found.keys() == {"reach", "identity", "kinds", "read", "write", "lock", "watch"}


@pytest.mark.parametrize(
    ("denied", "name", "result", "message", "rule"),
    [
        (
            {("list", "deployments")},
            "read",
            CheckResult.FAILED,
            "may not list deployments.apps in shop",
            'Role in shop: - {apiGroups: ["apps"], resources: [deployments], verbs: [list]}',
        ),
        (
            {("patch", "configmaps"), ("delete", "configmaps")},
            "write",
            CheckResult.WARNING,
            "may not patch/delete configmaps in fleetmgr-system; patch/delete configmaps in shop",
            'Role in shop: - {apiGroups: [""], resources: [configmaps], verbs: [patch, delete]}',
        ),
        (
            {("create", "namespaces")},
            "write",
            CheckResult.WARNING,
            "may not create namespaces",
            'ClusterRole: - {apiGroups: [""], resources: [namespaces], verbs: [create]}',
        ),
        (
            {("get", "leases"), ("patch", "leases")},
            "lock",
            CheckResult.WARNING,
            "may not get/patch leases.coordination.k8s.io in fleetmgr-system",
            'Role in fleetmgr-system: - {apiGroups: ["coordination.k8s.io"], resources: [leases], verbs: [get, patch]}',
        ),
        (
            {("watch", "deployments")},
            "watch",
            CheckResult.WARNING,
            "may not watch deployments.apps",
            'ClusterRole: - {apiGroups: ["apps"], resources: [deployments], verbs: [watch]}',
        ),
    ],
)
def test_what_is_missing_is_named_with_the_rule_to_add(
    fleet: FleetInMemory,
    denied: set[tuple[str, str]],
    name: str,
    result: CheckResult,
    message: str,
    rule: str,
) -> None:
    fleet.clusters["dev-1"].denied |= denied
    found = checks(fleet)
    check = found.pop(name)
    assert (check.result, check.message) == (result, message)
    assert rule in (check.hint or "").splitlines()
    assert check.exit_code is (ExitCode.AUTH if result is CheckResult.FAILED else ExitCode.OK)
    assert {c.result for c in found.values()} == {CheckResult.OK}


def test_namespaces_that_are_there_need_no_right(fleet: FleetInMemory) -> None:
    fleet.apply()
    fleet.clusters["dev-1"].denied |= {("create", "namespaces"), ("get", "namespaces")}
    assert {c.result for c in checks(fleet).values()} == {CheckResult.OK}


def test_what_is_to_be_pruned_must_be_found_and_deleted(fleet: FleetInMemory) -> None:
    fleet.apply()
    (fleet.root / "apps" / "web" / "all.yaml").write_text(yaml.safe_dump(SECRET))
    fleet.clusters["dev-1"].denied |= {("delete", "deployments"), ("get", "secrets")}
    found = checks(fleet)
    assert found["write"].message == "may not delete deployments.apps in shop"
    assert found["secrets"].message == "may not get secrets in fleetmgr-system"
    assert found["read"].message == "may not get secrets in shop"
