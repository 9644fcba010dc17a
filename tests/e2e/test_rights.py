"""Somebody with few rights: RBAC really limits whom ``access.impersonate`` names, ``fleet doctor`` tells what is
missing with the rules to add; once they are added, an apply works."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import yaml

from tests.e2e.fleets import Fleet
from tests.e2e.test_leases import lease
from tests.e2e.test_order import DEPLOYMENT, config, named

pytestmark = pytest.mark.e2e

GROUP = "rbac.authorization.k8s.io"


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Iterator[Fleet]:
    """One cluster, whose entry acts as a user of the fleet's name."""
    made = fleets()
    made.entries[0]["access"]["impersonate"] = {"user": made.name, "groups": ["deployers"]}
    made.save()
    made.manifests(config=config("settings"), web=named(DEPLOYMENT, "web"))
    yield made
    names = [made.name, *(f"{made.name}-{n}" for n in range(9))]
    kinds = "clusterrole,clusterrolebinding"
    made.sandbox.kubectl(made.sandbox.contexts[0], "delete", kinds, *names, "--ignore-not-found")
    for kind in ("role", "rolebinding"):
        made.sandbox.try_kubectl(
            made.sandbox.contexts[0],
            *("-n", "fleetmgr-system", "delete", kind, *names, "--ignore-not-found", "--wait=false"),
        )


def grant(fleet: Fleet, name: str, rules: Sequence[Any], *, namespace: str = "") -> None:
    """A role with these rules, bound to the user."""
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    role = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "rules": list(rules)}
    binding = {
        "apiVersion": f"{GROUP}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name},
        "subjects": [{"kind": "User", "name": fleet.name, "apiGroup": GROUP}],
    }
    both = {"apiVersion": "v1", "kind": "List", "items": [role, binding]}
    fleet.sandbox.kubectl(fleet.sandbox.contexts[0], "apply", "-f", "-", stdin=json.dumps(both))


def doctor(fleet: Fleet) -> dict[str, dict[str, Any]]:
    answer = fleet.run("doctor", "-o", "json")
    return {c["name"]: c for c in answer.data["checks"] if "cluster" in c}


RULE = re.compile(r"(?:ClusterRole|Role in (\S+)): - (\{.*\})")


def test_an_impersonated_user_may_do_what_its_roles_allow_and_doctor_says_what_is_missing(
    fleet: Fleet,
) -> None:
    context = fleet.sandbox.contexts[0]
    for namespace in ("fleetmgr-system", fleet.ns):
        fleet.sandbox.try_kubectl(context, "create", "namespace", namespace)
    refused = fleet.run("plan", "-o", "json")
    assert refused.code == 3, refused.text
    assert fleet.name in refused.data["clusters"][0]["error"]["message"]

    read = {"apiGroups": ["", "apps"], "resources": ["configmaps", "deployments"], "verbs": ["get", "list"]}
    grant(fleet, fleet.name, [read])
    change = fleet.plan().change("ConfigMap/settings")
    assert (change["op"], change["unverified"]) == ("create", True)
    fleet.apply(code=3)
    assert fleet.get("configmap", "settings") == {}

    found = doctor(fleet)
    assert {name: c["result"] for name, c in found.items() if c["result"] != "ok"} == {
        "write": "warning",
        "lock": "warning",
        "watch": "warning",
    }
    missing = [RULE.fullmatch(line) for c in found.values() for line in c.get("hint", "").splitlines()]
    for number, match in enumerate(m for m in missing if m):
        namespace, rule = match.groups()
        grant(fleet, f"{fleet.name}-{number}", [yaml.safe_load(rule)], namespace=namespace or "")
    assert {c["result"] for c in doctor(fleet).values()} == {"ok"}

    answer = fleet.apply()
    assert answer.data["clusters"][0].get("warnings", []) == []
    assert lease(fleet)["spec"].get("leaseTransitions")
    fleet.assert_settled()
    fleet.manifests(web=named(DEPLOYMENT, "web"))
    fleet.apply()
    assert fleet.get("configmap", "settings") == {}
