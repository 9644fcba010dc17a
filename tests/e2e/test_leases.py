"""One run per cluster entry, on real control planes: two at once, the dead, the unlocked, the stale."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fleetmgr.model.lease import RENEW_EVERY
from tests.e2e.fleets import Fleet
from tests.e2e.test_engine_traps import CONFIG, DEPLOYMENT

pytestmark = pytest.mark.e2e

MANY = 60
FITS_NOWHERE = DEPLOYMENT.replace("      containers:", "      nodeSelector: {no: where}\n      containers:")


def config_maps(count: int, value: str = "1") -> str:
    return "---".join(
        CONFIG.replace("settings", f"settings-{n}").replace('"1"', f'"{value}"') for n in range(count)
    )


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, app ``web``, and a workload that is never ready, so that an apply stays at work."""
    made = fleets()
    made.save()
    return made


def lease(fleet: Fleet) -> dict[str, Any]:
    return fleet.get("lease", f"{fleet.name}.one", namespace="fleetmgr-system")


def waiting(fleet: Fleet, *arguments: str) -> subprocess.Popen[str]:
    """An apply that has written and now waits: it holds the lease."""
    running = fleet.start("apply", "--yes", "--timeout", "5m", *arguments)
    assert running.stderr is not None
    for line in running.stderr:
        if "waiting for web" in line:
            return running
    raise AssertionError("the apply ended")


def stuck(fleet: Fleet, value: str = "1") -> None:
    """An app whose apply waits for ever: its pods fit on no node."""
    fleet.manifests(config=CONFIG.replace('"1"', f'"{value}"'), deployment=FITS_NOWHERE)


def test_two_applies_at_once_one_does_it_the_other_exits_8(fleet: Fleet) -> None:
    for value in ("1", "2"):
        fleet.manifests(config=config_maps(MANY, value))
        running = [fleet.start("apply", "--yes", "-o", "json") for _ in range(2)]
        ended = [(*process.communicate(timeout=90), process.returncode) for process in running]
        codes = sorted(code for _, _, code in ended)
        # the later one finds the earlier one at work (8), or what it did meanwhile (6, or nothing to do)
        assert codes in ([0, 8], [0, 6], [0, 0]), ended
        results = [r for out, _, _ in ended for c in json.loads(out)["clusters"] for r in c["results"]]
        written = [r["object"]["name"] for r in results if r["outcome"] == "done" and "settings" in str(r)]
        assert sorted(written) == sorted(f"settings-{n}" for n in range(MANY)), "each by one of them"
        live = fleet.everything("configmap")
        assert {live[f"ConfigMap/settings-{n}"]["data"]["a"] for n in range(MANY)} == {value}
        fleet.assert_settled()
    assert fleet.records() == ["web"]


def test_two_entries_of_one_api_server_are_applied_at_once(fleet: Fleet) -> None:
    """A run each, at the same time: leases, records and prunes are an entry's own."""
    second = f"{fleet.ns}-two"
    fleet.namespaces.add(second)
    fleet.entries = [fleet.entry(0), {**fleet.entry(0), "name": "two", "environment": "staging"}]
    fleet.defaults = {"limits": {"maxDeletes": "100%"}}
    fleet.save()
    fleet.write("environments/staging/web.yaml", f"namespace: {second}\n")
    for count in (MANY, MANY // 2):
        fleet.manifests(config=config_maps(count))
        running = [fleet.start("apply", "--yes", "-c", name) for name in ("one", "two")]
        for process in running:
            out, err = process.communicate(timeout=90)
            assert process.returncode == 0, out + err
        for namespace in (fleet.ns, second):
            listed = fleet.sandbox.kubectl(
                fleet.sandbox.contexts[0], "-n", namespace, "get", "configmap", "-o", "name"
            )
            assert listed.count("settings-") == count
        fleet.assert_settled()


def test_a_second_run_is_told_who_holds_it_and_nothing_is_written(fleet: Fleet) -> None:
    stuck(fleet)
    with waiting(fleet) as first:
        stuck(fleet, "2")
        answer = fleet.run("apply", "--yes", "-o", "json")
        assert answer.code == 8, answer.text
        assert first.poll() is None, "it was not waited for"
        error = answer.data["clusters"][0]["error"]
        assert error["code"] == "FLT-8000"
        for part in (f"pid {first.pid}", "apply --yes --timeout 5m", "plan ", "since 20"):
            assert part in error["message"]
        assert "fleet unlock one" in error["hint"]
        assert fleet.get("configmap", "settings")["data"]["a"] == "1"
        assert fleet.run("plan").code == 0
        assert fleet.run("status").code == 0
        first.terminate()
        first.communicate(timeout=30)
    assert "holderIdentity" not in lease(fleet)["spec"]


def test_a_second_run_waits_for_the_first(fleet: Fleet) -> None:
    stuck(fleet)
    with waiting(fleet) as first:
        fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
        second = fleet.start("apply", "--yes", "--lock-timeout", "2m")
        assert second.stderr is not None
        for line in second.stderr:
            if "waiting for the lease of" in line:
                break
        first.terminate()
        first.communicate(timeout=30)
        out, err = second.communicate(timeout=60)
    assert second.returncode == 0, out + err
    assert fleet.get("configmap", "settings")["data"]["a"] == "2"


def test_who_was_killed_here_locks_nobody_out(fleet: Fleet) -> None:
    stuck(fleet)
    with waiting(fleet) as first:
        first.kill()
        first.communicate(timeout=30)
    held = lease(fleet)["spec"]
    assert held["holderIdentity"]
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
    fleet.apply()
    after = lease(fleet)["spec"]
    assert after["leaseTransitions"] > held["leaseTransitions"]
    fleet.assert_settled()


def test_who_was_killed_elsewhere_is_passed_over_when_it_is_silent(fleet: Fleet) -> None:
    fleet.manifests(config=CONFIG)
    fleet.apply()
    patch = {
        "metadata": {"annotations": {"fleetmgr.dev/actor": "ci", "fleetmgr.dev/process": "other/1/1"}},
        "spec": {
            "holderIdentity": "ci_1",
            "renewTime": "2036-01-01T00:00:00.000000Z",
            "leaseDurationSeconds": 2,
        },
    }
    where = ("patch", "lease", f"{fleet.name}.one", "--type=merge", "-p", json.dumps(patch))
    fleet.sandbox.kubectl(fleet.sandbox.contexts[0], "-n", "fleetmgr-system", *where)
    fleet.manifests(config=CONFIG.replace('"1"', '"2"'))
    fleet.apply()
    assert fleet.get("configmap", "settings")["data"]["a"] == "2"


def test_unlock_stops_the_holder_and_stays_on_record(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("api", dependsOn=["web"])]
    fleet.save()
    fleet.manifests("api", config=CONFIG.replace("settings", "of-api"))
    stuck(fleet)
    with waiting(fleet, "-o", "json") as first:
        answer = fleet.run("unlock", "one", "--reason", "it hangs", "--yes", "-o", "json")
        assert answer.code == 0, answer.text
        assert answer.data["holder"]["pid"] == first.pid
        threading.Event().wait(RENEW_EVERY + 3)  # by then it knows
        fleet.kubectl("patch", "deployment", "web", "--type=json", "-p", READY)
        out, err = first.communicate(timeout=60)
    assert first.returncode == 8, out + err
    assert "it hangs" in out
    assert fleet.get("configmap", "of-api") == {}
    notes = lease(fleet)["metadata"]["annotations"]
    assert notes["fleetmgr.dev/unlock-reason"] == "it hangs"
    assert fleet.run("unlock", "one", "--reason", "again").out == "one is not locked.\n"
    assert fleet.run("unlock", "nope", "--reason", "x").code == 64


READY = json.dumps([{"op": "remove", "path": "/spec/template/spec/nodeSelector"}])


def test_who_may_not_use_leases_applies_with_a_warning(fleet: Fleet) -> None:
    fleet.manifests(config=CONFIG)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": fleet.name},
        "rules": [
            {"apiGroups": [""], "resources": ["configmaps", "namespaces"], "verbs": ["*"]},
        ],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": fleet.name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": fleet.name},
        "subjects": [{"kind": "User", "name": "poor", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    context = fleet.sandbox.contexts[0]
    fleet.sandbox.kubectl(context, "apply", "-f", "-", stdin=json.dumps(role))
    fleet.sandbox.kubectl(context, "apply", "-f", "-", stdin=json.dumps(binding))
    try:
        kubeconfig = json.loads(
            fleet.sandbox.kubectl(context, "config", "view", "--raw", "--minify", "-o", "json")
        )
        for user in kubeconfig["users"]:
            user["user"]["as"] = "poor"
        (fleet.root / "poor.json").write_text(json.dumps(kubeconfig), encoding="utf-8")
        fleet.entries[0]["access"] = {"kubeconfig": "poor.json", "context": context}
        fleet.save()
        answer = fleet.apply()
        assert any("no lease was taken" in w for w in answer.data["clusters"][0]["warnings"]), answer.out
        assert lease(fleet) == {}
    finally:
        fleet.sandbox.kubectl(context, "delete", "clusterrole,clusterrolebinding", fleet.name)
