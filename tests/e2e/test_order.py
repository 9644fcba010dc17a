"""The order inside a cluster, on a real control plane: waves, dependencies, hooks, deletes the way back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.fleets import Fleet
from tests.e2e.test_engine_traps import CONFIG

pytestmark = pytest.mark.e2e

DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: NAME, annotations: {ANNOTATIONS}}
    spec:
      replicas: 1
      selector: {matchLabels: {app: NAME}}
      template:
        metadata: {labels: {app: NAME}}
        spec: {containers: [{name: main, image: "example.com/web:1"}]}
"""
JOB = """
    apiVersion: batch/v1
    kind: Job
    metadata: {name: NAME, annotations: {ANNOTATIONS}}
    spec:
      backoffLimit: 0
      template: {spec: {restartPolicy: Never, containers: [{name: main, image: "example.com/tool:1"}]}}
"""
NEVER = JOB.replace("restartPolicy: Never", "restartPolicy: Never, nodeSelector: {no: where}").replace(
    "backoffLimit: 0", "activeDeadlineSeconds: 2"
)
WAVE = '"argocd.argoproj.io/sync-wave": "{}"'
HOOK = '"argocd.argoproj.io/hook": {}'
GONE = '"argocd.argoproj.io/hook-delete-policy": HookSucceeded'


def named(text: str, name: str, *annotations: str) -> str:
    return text.replace("NAME", name).replace("ANNOTATIONS", ", ".join(annotations))


def config(name: str, value: str = "1", *annotations: str) -> str:
    text = CONFIG.replace("settings", name).replace('"1"', f'"{value}"')
    return text.replace(f"name: {name}", f"name: {name}, annotations: {{{', '.join(annotations)}}}", 1)


@pytest.fixture
def fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """One cluster, app ``web``, prune on."""
    made = fleets()
    made.defaults = {"limits": {"maxDeletes": "100%"}}
    made.save()
    return made


def created(fleet: Fleet, *kinds: str) -> list[str]:
    """Names in the order of their creation; Kubernetes counts seconds, resourceVersions break ties."""
    items = fleet.everything(*kinds).values()
    return [
        o["metadata"]["name"] for o in sorted(items, key=_born) if o["metadata"]["name"] != "kube-root-ca.crt"
    ]


def _born(item: dict[str, Any]) -> tuple[str, int]:
    return item["metadata"]["creationTimestamp"], int(item["metadata"]["resourceVersion"])


def runs(fleet: Fleet, name: str) -> set[str]:
    """Uids of Jobs of this name whose pods were ever started."""
    events = fleet.everything("events").values()
    return {
        e["involvedObject"]["uid"]
        for e in events
        if e["reason"] == "SuccessfulCreate" and e["involvedObject"]["name"] == name
    }


def test_each_wave_waits_until_the_one_before_is_healthy(fleet: Fleet) -> None:
    fleet.manifests(
        a=config("last", "1", WAVE.format(2)),
        b=named(DEPLOYMENT, "db", WAVE.format(-1)),
        c=named(DEPLOYMENT, "web", '"config.kubernetes.io/depends-on": /namespaces/$NS/ConfigMap/base'),
        d=config("base"),
    )
    fleet.apply()
    live = fleet.everything("deployment", "configmap")
    ready = {
        name: next(
            c["lastTransitionTime"] for c in live[name]["status"]["conditions"] if c["type"] == "Available"
        )
        for name in ("Deployment/db", "Deployment/web")
    }
    born = {name: item["metadata"]["creationTimestamp"] for name, item in live.items()}
    assert ready["Deployment/db"] <= born["ConfigMap/base"] <= born["Deployment/web"]
    assert ready["Deployment/web"] <= born["ConfigMap/last"]
    fleet.assert_settled()


def test_hooks_run_once_a_change_and_are_no_members(fleet: Fleet) -> None:
    def write(value: str) -> None:
        fleet.manifests(
            config=config("settings", value),
            web=named(DEPLOYMENT, "web"),
            migrate=named(JOB, "migrate", HOOK.format("PreSync")),
            check=named(JOB, "check", HOOK.format("PostSync"), GONE),
        )

    write("1")
    assert ("hook", "Job/migrate") in fleet.plan().ops()
    assert ("hook", "Job/check", "done") in fleet.apply().results()
    fleet.assert_settled()
    assert fleet.get("job", "check") == {}
    fleet.kubectl("delete", "job", "migrate")
    fleet.assert_settled()
    fleet.kubectl("patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"a":"x"}}')
    fleet.apply()
    assert (len(runs(fleet, "migrate")), len(runs(fleet, "check"))) == (1, 1)
    write("2")
    assert fleet.plan().ops() == {
        ("hook", "Job/migrate"),
        ("hook", "Job/check"),
        ("update", "ConfigMap/settings"),
    }
    fleet.apply()
    assert (len(runs(fleet, "migrate")), len(runs(fleet, "check"))) == (2, 2)
    fleet.assert_settled()


def test_a_presync_hook_that_fails_stops_its_app(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("needs", dependsOn=["web"]), fleet.app("free")]
    fleet.save()
    fleet.manifests(
        config=config("settings"),
        migrate=named(NEVER, "migrate", HOOK.format("PreSync")),
        alarm=named(JOB, "alarm", HOOK.format("SyncFail")),
    )
    fleet.manifests("needs", config=config("needs"))
    fleet.manifests("free", config=config("free"))
    answer = fleet.apply(code=1)
    assert answer.results() >= {
        ("hook", "Job/migrate", "failed"),
        ("hook", "Job/alarm", "done"),
        ("create", "ConfigMap/settings", "skipped"),
        ("create", "ConfigMap/needs", "skipped"),
        ("create", "ConfigMap/free", "done"),
    }
    fleet.manifests(config=config("settings"), migrate=named(JOB, "migrate", HOOK.format("PreSync")))
    fleet.apply()
    assert {"ConfigMap/settings", "ConfigMap/needs"} <= fleet.everything("configmap").keys()
    fleet.assert_settled()


def test_an_app_that_leaves_says_goodbye(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("web"), fleet.app("keep")]
    fleet.save()
    fleet.manifests(
        config=config("low"),
        top=config("top", "1", WAVE.format(3)),
        bye=named(JOB, "goodbye", HOOK.format("PreDelete")),
        end=named(JOB, "cleanup", HOOK.format("PostDelete")),
    )
    fleet.manifests("keep", config=config("keep"))
    fleet.apply()
    assert fleet.everything("job") == {}
    fleet.apps = [fleet.app("keep")]
    fleet.save()
    fleet.apply()
    assert (len(runs(fleet, "goodbye")), len(runs(fleet, "cleanup"))) == (1, 1)
    assert set(created(fleet, "configmap", "job")) == {"keep"}
    assert fleet.records() == ["keep"]
    fleet.assert_settled()


def test_what_says_so_is_never_pruned(fleet: Fleet) -> None:
    fleet.manifests(
        a=config("argo", "1", '"argocd.argoproj.io/sync-options": "Validate=false,Prune=false"'),
        b=config("ours", "1", '"fleetmgr.dev/prune": disabled'),
        c=config("gone"),
        d=config("stays"),
    )
    fleet.apply()
    fleet.manifests(d=config("stays"))
    answer = fleet.plan()
    assert answer.ops() == {
        ("orphaned", "ConfigMap/argo"),
        ("orphaned", "ConfigMap/ours"),
        ("delete", "ConfigMap/gone"),
    }
    assert "sync-options has Prune=false" in answer.change("ConfigMap/argo")["reason"]
    fleet.apply()
    assert set(created(fleet, "configmap")) == {"argo", "ours", "stays"}


def test_a_slow_app_holds_nobody_else_up_and_an_interrupt_ends_the_wait(fleet: Fleet) -> None:
    fleet.apps = [fleet.app("slow", timeout="10m"), fleet.app("free")]
    fleet.save()
    fleet.manifests("slow", a=named(NEVER, "never").replace("activeDeadlineSeconds: 2", "backoffLimit: 0"))
    fleet.manifests("free", a=config("first"), b=config("second", "1", WAVE.format(1)))
    with fleet.start("apply", "--yes") as running:
        assert running.stderr is not None
        deadline = time.monotonic() + 30
        while "ConfigMap/second" not in _config_maps(fleet) and time.monotonic() < deadline:
            threading.Event().wait(0.2)
        running.send_signal(2)
        asked = time.monotonic()
        running.communicate(timeout=30)
        took = time.monotonic() - asked
    assert running.returncode == 130
    assert took < 10
    assert "ConfigMap/second" in _config_maps(fleet)


def _config_maps(fleet: Fleet) -> set[str]:
    answer = fleet.sandbox.try_kubectl(
        fleet.sandbox.contexts[0], "-n", fleet.ns, "get", "configmap", "-o", "name"
    )
    return {f"ConfigMap/{line.split('/')[1]}" for line in answer.stdout.split()}
